/** One decision for many questions, sent in parts; what is known of each is kept whatever becomes of the rest. */
import { freshKey, type Decision } from '../../answer/send';
import { ApiError, call } from '../../api/client';
import { addressOf, entryKey } from '../../api/queries';
import type { AnswerResult, AnswerResults, WaitingView } from '../../api/types';
import type { Json } from '../../api/json';
import { csvLine } from '../../show/csv';
import { clock } from '../../show/time';

/** `unknown`: sent, and no reply came. `unsent`: not sent, because the server was away or refused what came before. */
export type Outcome = {
  view: WaitingView;
  state: 'taken' | 'refused' | 'unknown' | 'unsent';
  code: string;
  why: string;
  /** What the server says of it beside the sentence. */
  facts: Record<string, Json>;
};

/** Refusals after which a question waits no longer. */
const OVER = new Set(['already_answered', 'timed_out', 'execution_ended', 'withdrawn', 'unknown_signal', 'not_found']);

export function isWaiting({ state, code }: Outcome): boolean {
  return state !== 'taken' && !OVER.has(code);
}

/** The keys of one decision, so that a repeat of it counts once. */
export type Keys = Map<string, string>;

function keyOf(keys: Keys, view: WaitingView): string {
  const name = entryKey(view);
  const key = keys.get(name) ?? freshKey();
  keys.set(name, key);
  return key;
}

type Send = (answers: unknown[]) => Promise<AnswerResult[]>;

const post: Send = async (answers) => (await call<AnswerResults>('POST', '/api/v1/inbox/answers', { answers })).items;

/** Send one decision for many, `atOnce` in a request. Never throws: what could not be sent is an outcome. */
export async function decideMany(
  views: readonly WaitingView[],
  decision: Decision,
  keys: Keys,
  atOnce: number,
  onProgress: (done: number) => void = () => undefined,
  send: Send = post,
): Promise<Outcome[]> {
  const found: Outcome[] = [];
  for (let from = 0; from < views.length; from += atOnce) {
    const part = views.slice(from, from + atOnce);
    const answers = part.map((view) => ({
      execution: view.execution,
      signal: addressOf(view),
      ...decision,
      shown: view.digest,
      key: keyOf(keys, view),
    }));
    try {
      const results = await send(answers);
      part.forEach((view, index) => found.push(outcome(view, results[index])));
    } catch (error) {
      const isLost = error instanceof ApiError && error.isUnreachable;
      const why = error instanceof Error ? error.message : String(error);
      const code = error instanceof ApiError ? error.code : '';
      part.forEach((view) => found.push({ view, state: isLost ? 'unknown' : 'unsent', code, why, facts: {} }));
      views.slice(from + atOnce).forEach((view) => found.push({ view, state: 'unsent', code, why, facts: {} }));
      return found;
    }
    onProgress(found.length);
  }
  return found;
}

function outcome(view: WaitingView, result: AnswerResult | undefined): Outcome {
  if (result?.status === 200) return { view, state: 'taken', code: '', why: '', facts: {} };
  const problem = result?.problem;
  const code = typeof problem?.code === 'string' ? problem.code : '';
  const why = typeof problem?.detail === 'string' ? problem.detail : `HTTP ${result?.status ?? 0}`;
  return { view, state: 'refused', code, why, facts: problem ?? {} };
}

/** Why one was not decided, as `me` reads it. */
export function reason({ state, code, why, facts }: Outcome, me: string): string {
  if (state === 'unknown') return 'No reply came: it may be decided or not.';
  if (state === 'unsent') return `Not sent: ${why}`;
  const at = typeof facts.at === 'string' ? ` at ${clock(new Date(facts.at))}` : '';
  switch (code) {
    case 'already_answered':
      return typeof facts.who === 'string' && facts.who
        ? `Already decided by ${facts.who === me ? 'you' : facts.who}${at}`
        : why;
    case 'timed_out':
      return `Timed out${at}, before you decided`;
    case 'withdrawn':
      return `Withdrawn${at}: no decision is needed`;
    case 'execution_ended':
      return `The execution ended${at}: no decision is needed`;
    case 'changed':
      return Array.isArray(facts.changed) && !facts.changed.includes('form')
        ? `Not decided: ${facts.changed.join(', ')} changed after you looked`
        : why;
    default:
      return why;
  }
}

/** Return the outcomes with the undecided ones first. */
export function undecidedFirst(outcomes: readonly Outcome[]): Outcome[] {
  return [...outcomes].sort((one, other) => Number(one.state === 'taken') - Number(other.state === 'taken'));
}

/** Put the outcomes of a repeat in the place of those that it repeats. */
export function replaced(before: readonly Outcome[], again: readonly Outcome[]): Outcome[] {
  const now = new Map(again.map((each) => [entryKey(each.view), each]));
  return before.map((each) => now.get(entryKey(each.view)) ?? each);
}

export function csvOf(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ view, state, why }) => [
    view.title || view.name,
    view.workflow,
    view.execution,
    view.handle,
    state,
    why,
  ]);
  return [['title', 'workflow', 'execution', 'question', 'result', 'reason'], ...lines].map(csvLine).join('');
}
