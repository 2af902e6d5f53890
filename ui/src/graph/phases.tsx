/** Phases as people see them: a colour, an icon and a word, never the colour alone. An appearance is a phase, or a more exact word for it. */
import type { ComponentType } from 'react';
import {
  IconAlert,
  IconBan,
  IconCheck,
  IconClock,
  IconDashed,
  IconHand,
  IconPause,
  IconSkip,
  IconSpinner,
  IconX,
} from '../app/icons';
import './phases.css';

type Look = { word: string; icon: ComponentType<{ size?: number; className?: string }> };

const LOOKS: Record<string, Look> = {
  NOT_STARTED: { word: 'Not started', icon: IconDashed },
  QUEUED: { word: 'Queued', icon: IconDashed },
  HELD: { word: 'Held', icon: IconPause },
  INTERRUPTED: { word: 'Interrupted', icon: IconPause },
  RUNNING: { word: 'Running', icon: IconSpinner },
  WAITING: { word: 'Waiting for people', icon: IconHand },
  SLEEPING: { word: 'Sleeping', icon: IconClock },
  SUCCEEDED: { word: 'Succeeded', icon: IconCheck },
  FAILED: { word: 'Failed', icon: IconX },
  REJECTED: { word: 'Rejected', icon: IconX },
  TIMED_OUT: { word: 'Timed out', icon: IconAlert },
  ABORTED: { word: 'Terminated', icon: IconBan },
  SKIPPED: { word: 'Not taken', icon: IconSkip },
  NOT_REACHED: { word: 'Not reached', icon: IconSkip },
  WITHDRAWN: { word: 'Withdrawn', icon: IconSkip },
  NONE: { word: '', icon: IconDashed },
};
const UNKNOWN: Look = { word: 'Unknown', icon: IconDashed };

export const EXECUTION_PHASES = ['WAITING', 'RUNNING', 'QUEUED', 'SUCCEEDED', 'FAILED', 'ABORTED'] as const;
/** What has ended did so in one of these looks. */
export const ENDED = new Set([
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'TIMED_OUT',
  'ABORTED',
  'SKIPPED',
  'NOT_REACHED',
  'WITHDRAWN',
]);
/** What ended without being needed, and what never had its turn. */
export const LEFT_OUT = new Set(['SKIPPED', 'NOT_REACHED', 'WITHDRAWN']);

/** Whether a gate, or what waits at it, is for somebody to answer. */
export function asksPeople({ kind }: { kind: string }): boolean {
  return kind === 'input' || kind === 'approve';
}

/** Return how a node looks: a gate that needs nobody, or a pause before a retry, sleeps. */
export function appearance(kind: string, phase: string): string {
  return phase === 'WAITING' && !asksPeople({ kind }) ? 'SLEEPING' : phase;
}

/** The failures that are decisions or deadlines, by their codes. */
const ENDS: Record<string, string> = {
  Rejected: 'REJECTED',
  rejected: 'REJECTED',
  TimeoutExpired: 'TIMED_OUT',
  timed_out: 'TIMED_OUT',
};

/** Return how a failure looks: an end by a person or by silence is not an error. */
export function failureLook(phase: string, code: string | undefined): string {
  return phase === 'FAILED' && code !== undefined ? (ENDS[code] ?? phase) : phase;
}

/** An execution that waits only for time sleeps; `people` is how many answers it waits for, `end` the code or kind of how it ended. */
export function executionAppearance(phase: string, people: number, end?: string): string {
  return phase === 'WAITING' && people === 0 ? 'SLEEPING' : failureLook(phase, end);
}

export function phaseWord(phase: string): string {
  return (LOOKS[phase] ?? UNKNOWN).word;
}

export function PhaseIcon({ phase, size = 16 }: { phase: string; size?: number }) {
  const { icon: Icon } = LOOKS[phase] ?? UNKNOWN;
  return <Icon size={size} className={phase === 'RUNNING' ? 'turning' : ''} />;
}

export function PhaseBadge({ phase }: { phase: string }) {
  return (
    <span className={`phase phase-${phase}`} data-phase={phase}>
      <PhaseIcon phase={phase} size={14} />
      {phaseWord(phase)}
    </span>
  );
}
