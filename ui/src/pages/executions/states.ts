/** The states by which executions are filtered: phases of those that go on, and of those that ended how they did. */
import type { ExecutionLine } from '../../api/types';
import { executionAppearance } from '../../graph/phases';

/** The look of a state, and what the server is asked for. `all` is what an address of the phase alone stands for. */
export const STATES = [
  { look: 'WAITING', phase: 'WAITING' },
  { look: 'RUNNING', phase: 'RUNNING' },
  { look: 'QUEUED', phase: 'QUEUED' },
  { look: 'FAILED', end: 'failed' },
  { look: 'REJECTED', end: 'rejected' },
  { look: 'TIMED_OUT', end: 'timed_out' },
  { look: 'SUCCEEDED', phase: 'SUCCEEDED' },
  { look: 'ABORTED', phase: 'ABORTED' },
] as const;

const FAILED = 'FAILED';
const FAILURES = ['failed', 'rejected', 'timed_out'];

export type Asked = { phase: string[]; end: string[] };

/** Read an address: the phase FAILED is each way to fail. */
export function asked({ phase = '', end = '' }: { phase?: string | undefined; end?: string | undefined }): Asked {
  const phases = phase.split(',').filter(Boolean);
  const ends = end.split(',').filter(Boolean);
  return {
    phase: phases.filter((each) => each !== FAILED),
    end: [...new Set([...ends, ...(phases.includes(FAILED) ? FAILURES : [])])],
  };
}

export function looksOf({ phase, end }: Asked): string[] {
  return STATES.filter((each) => ('phase' in each ? phase.includes(each.phase) : end.includes(each.end))).map(
    (each) => each.look,
  );
}

/** Return what an address says for these looks. */
export function address(looks: readonly string[]): { phase: string; end: string } {
  const chosen = STATES.filter((each) => looks.includes(each.look));
  return {
    phase: chosen.flatMap((each) => ('phase' in each ? [each.phase] : [])).join(','),
    end: chosen.flatMap((each) => ('end' in each ? [each.end] : [])).join(','),
  };
}

const LOOK_OF_END: Record<string, string> = { rejected: 'REJECTED', timed_out: 'TIMED_OUT', aborted: 'ABORTED' };

export function lookOf({ phase, waiting, end, held }: ExecutionLine): string {
  if (held && phase !== 'WAITING') return 'HELD';
  return (end && LOOK_OF_END[end.kind]) || executionAppearance(phase, waiting.length);
}

const MARK = /^([A-Z]\w*(?:\.\w+)*(?:Error|Exception|Warning|Interrupt|Exit)):?\s*/;

/** Split a message at the name of its exception, and leave out all lines but the first. */
export function failureOf(message: string): { error: string; text: string } {
  const first = message.trim().split('\n')[0] ?? '';
  const error = MARK.exec(first)?.[1] ?? '';
  return { error, text: error ? first.replace(MARK, '') : first };
}

/** Whether two ended alike: for a selection of all with one reason. */
export function isAlike(one: ExecutionLine, other: ExecutionLine): boolean {
  const { end: a } = one;
  const { end: b } = other;
  if (a === null || b === null || a.kind !== b.kind) return false;
  return a.kind !== 'failed' || (a.name === b.name && failureOf(a.message).error === failureOf(b.message).error);
}
