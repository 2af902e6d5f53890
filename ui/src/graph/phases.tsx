/** Phases as people see them: a colour, an icon and a word, never the colour alone. */
import type { ComponentType } from 'react';
import { IconAlert, IconBan, IconCheck, IconClock, IconDashed, IconHand, IconSpinner, IconX } from '../app/icons';
import './phases.css';

type Look = { word: string; icon: ComponentType<{ size?: number; className?: string }> };

const LOOKS: Record<string, Look> = {
  QUEUED: { word: 'Queued', icon: IconDashed },
  RUNNING: { word: 'Running', icon: IconSpinner },
  WAITING: { word: 'Waiting for a person', icon: IconHand },
  SLEEPING: { word: 'Sleeping', icon: IconClock },
  SUCCEEDED: { word: 'Succeeded', icon: IconCheck },
  FAILED: { word: 'Failed', icon: IconX },
  TIMED_OUT: { word: 'Timed out', icon: IconAlert },
  ABORTED: { word: 'Terminated', icon: IconBan },
  SKIPPED: { word: 'Not taken', icon: IconDashed },
  NONE: { word: '', icon: IconDashed },
};
const UNKNOWN: Look = { word: 'Unknown', icon: IconDashed };

export const EXECUTION_PHASES = ['WAITING', 'RUNNING', 'QUEUED', 'SUCCEEDED', 'FAILED', 'ABORTED'] as const;
export const ENDED = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'SKIPPED']);

/** Whether a gate, or what waits at it, is for somebody to answer. */
export function asksPeople({ kind }: { kind: string }): boolean {
  return kind === 'input' || kind === 'approve';
}

/** Return how a node looks: a gate that needs nobody, or a pause before a retry, sleeps. */
export function appearance(kind: string, phase: string): string {
  return phase === 'WAITING' && !asksPeople({ kind }) ? 'SLEEPING' : phase;
}

/** An execution that waits only for time sleeps; `people` is how many answers it waits for. */
export function executionAppearance(phase: string, people: number): string {
  return phase === 'WAITING' && people === 0 ? 'SLEEPING' : phase;
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
