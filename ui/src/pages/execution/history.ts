/** What the history of an execution says of each node: in which phase it was from when to when, and how each attempt ended. */
import type { Json } from '../../api/json';
import { isObject } from '../../api/json';
import type { EventView, ExecutionView, NodeView } from '../../api/types';
import { appearance, ENDED } from '../../graph/phases';

export type Bar = { phase: string; from: number; to: number | null; attempt: number };
export type Attempt = { number: number; from: number | null; to: number | null; outcome: string; message: string };

const ATTEMPT_ENDS: Record<string, string> = {
  TaskSucceeded: 'SUCCEEDED',
  TaskUnfolded: 'SUCCEEDED',
  TaskFailed: 'FAILED',
  TaskLost: 'ABORTED',
};
/** The host stops or another one begins: what ran is queued again under another number. */
const HOST_CHANGES = new Set(['TakenUp', 'GivenBack']);

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** Return the bars of each node: one for each phase it was in, and for each attempt. */
export function barsOf(history: readonly EventView[], execution: ExecutionView): Map<string, Bar[]> {
  const nodes = new Map(execution.nodes.map((each) => [each.id, each]));
  const bars = new Map<string, Bar[]>();
  for (const event of history) {
    const changes = event.details.changes;
    if (!isObject(changes)) continue;
    const at = Date.parse(event.at);
    for (const [node, phase] of Object.entries(changes)) {
      const own = bars.get(node) ?? [];
      bars.set(node, own);
      const last = own.at(-1);
      if (last && last.to === null) {
        last.to = at;
        // An attempt that ends at once is not announced: it ran all the same.
        if (last.phase === 'QUEUED' && event.details.node === node && ATTEMPT_ENDS[event.kind]) {
          ran(own, last, numberOf(event.details.attempt), nodes.get(node));
        }
      }
      const name = appearance(nodes.get(node)?.kind ?? 'task', String(phase));
      if (ENDED.has(name)) continue;
      own.push({
        phase: name,
        from: at,
        to: null,
        attempt: event.details.node === node ? numberOf(event.details.attempt) : 0,
      });
    }
  }
  return bars;
}

/** Of an attempt that was not announced, tell the time it waited for a worker from the time it ran, where the node knows it. */
function ran(bars: Bar[], queued: Bar, attempt: number, node: NodeView | undefined): void {
  const began = node?.began && node.attempts === attempt ? Date.parse(node.began) : NaN;
  if (!(began > queued.from && queued.to !== null && began <= queued.to)) {
    Object.assign(queued, { phase: 'RUNNING', attempt });
    return;
  }
  bars.push({ phase: 'RUNNING', from: began, to: queued.to, attempt });
  queued.to = began;
}

/** Return the attempts of a task, the last of them first. */
export function attemptsOf(history: readonly EventView[], node: NodeView, bars: readonly Bar[]): Attempt[] {
  const found = new Map<number, Attempt>();
  for (const event of history) {
    const { changes } = event.details;
    if (HOST_CHANGES.has(event.kind) && isObject(changes) && changes[node.id] === 'QUEUED') {
      for (const each of found.values())
        if (each.to === null) Object.assign(each, { to: Date.parse(event.at), outcome: 'ABORTED' });
    }
    if (event.details.node !== node.id || !('attempt' in event.details)) continue;
    const number = numberOf(event.details.attempt);
    const now = found.get(number) ?? { number, from: null, to: null, outcome: 'RUNNING', message: '' };
    const at = Date.parse(event.at);
    if (event.kind === 'TaskStarted') now.from = at;
    const outcome = ATTEMPT_ENDS[event.kind];
    if (outcome) {
      now.to = at;
      now.outcome = outcome;
      const begun = bars.find((each) => each.to === at && each.phase === 'RUNNING');
      now.from ??= begun?.from ?? null;
    }
    if (typeof event.details.failure === 'string') now.message = event.details.failure;
    else if (isObject(event.details.failure)) now.message = String(event.details.failure.code ?? '');
    found.set(number, now);
  }
  if (node.attempts > 0 && !found.has(node.attempts)) {
    const began = node.began === null ? null : Date.parse(node.began);
    found.set(node.attempts, { number: node.attempts, from: began, to: null, outcome: node.phase, message: '' });
  }
  return [...found.values()].sort((a, b) => b.number - a.number);
}
