/** How a decision ended, in words. */
import type { Json } from '../api/json';
import type { AnswerView } from '../api/types';
import { brief } from '../show/brief';
import { clock } from '../show/time';
import type { Ending } from './useTask';

/** The word for what was decided: `approved`, `rejected`, or `answered`. */
export function verb(kind: string, value: Json): 'approved' | 'rejected' | 'answered' {
  if (kind !== 'approve') return 'answered';
  return value === true ? 'approved' : 'rejected';
}

const DOORS: Record<string, string> = {
  ui: 'on the page',
  cli: 'at a terminal',
  http: 'over HTTP',
  api: 'over HTTP',
  terminal: 'at a terminal',
};

/** Through what somebody answered, where that is worth a word. */
export function door({ via }: Pick<AnswerView, 'via'>): string {
  return via === 'ui' ? '' : (DOORS[via] ?? (via && `through ${via}`));
}

/** How a question ended, as a heading. `me` is who reads it. */
export function headline({ kind, phase, answer, sentence }: Ending, due: string | null, me: string): string {
  if (answer?.by_timeout) {
    const taken = kind === 'approve' ? verb(kind, answer.value) : brief(answer.value);
    return `${ranOut(due)} The answer for that case was taken: ${taken}`;
  }
  if (answer) {
    const who = answer.who === me ? 'you' : answer.who;
    const early = answer.early ? ' before it was asked' : '';
    return `Already ${verb(kind, answer.value)} by ${who}${early}`;
  }
  switch (phase) {
    case 'TIMED_OUT':
      return `${ranOut(due)} Nobody answered`;
    case 'ABORTED':
      return 'Terminated: an answer is no longer needed';
    case 'SKIPPED':
      return 'Withdrawn: an answer is no longer needed';
    case 'QUEUED':
    case 'RUNNING':
      return 'The workflow has not reached this yet';
    default:
      return sentence ?? 'This is no longer open';
  }
}

function ranOut(due: string | null): string {
  return due ? `Timed out at ${clock(new Date(due))}.` : 'Timed out.';
}

/** What happened to what somebody had pressed and was too late with. */
export function notStored(kind: string, value: Json): string {
  if (kind !== 'approve') return 'Your answer was not stored.';
  return value === true ? 'Your approval was not stored.' : 'Your rejection was not stored.';
}
