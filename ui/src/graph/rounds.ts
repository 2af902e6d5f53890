/**
 * Loops: a dynamic task that calls itself is one frame, with a row for each round and one of them open.
 *
 * One that returns what the call returns is a loop for the server: it has the current round only, and lists the others. Of any other, each call
 * lies in the one before; here the calls are rows too, and the nodes of only one are shown.
 */
import type { Json } from '../api/json';
import type { Item } from './model';
import { ENDED } from './phases';
import { holderOf, lookTogether } from './states';

export type Round = {
  number: number;
  phase: string;
  began: string | null;
  ended: string | null;
  figures: [string, Json][];
};
/** The rows of a frame. `open` is the one whose nodes are shown, `word` what one of them is called; `most` is 0 if nothing limits them. */
export type Rounds = { word: 'Round' | 'Call'; rounds: Round[]; open: number; most: number };

/** Above this many rows, those in the middle fold into one. */
const MANY = 8;
const FIRST = 1;
const LAST = 3;
/** Of those that somebody unfolds, at most this many are shown: the latest. */
const MOST = 60;
/** A chain of fewer calls is drawn as it is. */
const LEAST_CALLS = 3;
const FOLDABLE = new Set(['SUCCEEDED', 'NOT_STARTED', 'NOT_REACHED', 'RUNNING']);

export type RoundLine = { round: Round } | { from: number; to: number; many: number; phase: string };

/** Return the lines of a frame: all rounds but the open one, with those in the middle folded. What failed or waits is never folded. */
export function linesOf({ rounds, open }: Rounds, isUnfolded = false): RoundLine[] {
  const closed = rounds.filter(({ number }) => number !== open || number !== rounds.at(-1)?.number);
  const last = isUnfolded ? MOST : LAST;
  if (closed.length <= (isUnfolded ? MOST : MANY)) return closed.map((round) => ({ round }));
  const lines: RoundLine[] = [];
  let run: Round[] = [];
  const flush = () => {
    const [first, last] = [run[0], run.at(-1)];
    if (first && last && run.length > 1)
      lines.push({ from: first.number, to: last.number, many: run.length, phase: first.phase });
    else if (first) lines.push({ round: first });
    run = [];
  };
  closed.forEach((round, at) => {
    const isMiddle = at >= FIRST && at < closed.length - last;
    if (isMiddle && FOLDABLE.has(round.phase) && round.number !== open) {
      if (run.length > 0 && run[0]?.phase !== round.phase) flush();
      run.push(round);
    } else {
      flush();
      lines.push({ round });
    }
  });
  flush();
  return lines;
}

/** Return the calls of each dynamic task that calls itself without being a loop, from the outermost. */
export function chainsOf(items: readonly Item[], within = withinScopes(items)): Map<string, Item[]> {
  const byId = new Map(items.map((each) => [each.id, each]));
  const chains = new Map<string, Item[]>();
  const callIn = (each: Item): Item | undefined => {
    const calls = (within.get(each.id) ?? []).filter((other) => isCallOf(other, each));
    return calls.length === 1 ? calls[0] : undefined;
  };
  for (const each of items) {
    const up = byId.get(each.scope);
    if (each.kind !== 'task' || !within.has(each.id) || (up && isCallOf(each, up))) continue;
    const chain = [each];
    for (let next = callIn(each); next !== undefined && within.has(next.id); next = callIn(next)) chain.push(next);
    if (chain.length >= LEAST_CALLS) chains.set(each.id, chain);
  }
  return chains;
}

function withinScopes(items: readonly Item[]): Map<string, Item[]> {
  const within = new Map<string, Item[]>();
  for (const each of items) {
    const own = within.get(each.scope);
    if (own) own.push(each);
    else within.set(each.scope, [each]);
  }
  return within;
}

function isCallOf(item: Item, up: Item): boolean {
  return item.kind === 'task' && up.kind === 'task' && item.name === up.name && item.branch === null;
}

/** Return the items with the nodes of one call in each chain, in the frame of the first; `chosen` says which call, if somebody chose. */
export function unnested(
  items: readonly Item[],
  chosen: ReadonlyMap<string, number>,
): { items: readonly Item[]; rounds: Map<string, Rounds> } {
  const rounds = new Map<string, Rounds>();
  const within = withinScopes(items);
  const chains = chainsOf(items, within);
  if (chains.size === 0) return { items, rounds };
  const moved = new Map<string, string>();
  const hidden = new Set<string>();
  for (const [top, chain] of chains) {
    const calls = chain.map((each, at) => callRow(each, at + 1, within.get(each.id) ?? []));
    const busy = calls.filter(({ phase }) => !ENDED.has(phase) && phase !== 'NOT_STARTED').at(-1);
    const open = chosen.get(top) ?? busy?.number ?? calls.length;
    rounds.set(top, { word: 'Call', rounds: calls, open, most: 0 });
    chain.forEach((each, at) => {
      if (at + 1 !== open) hidden.add(each.id);
      else if (at > 0) moved.set(each.id, top);
    });
  }
  const byId = new Map(items.map((each) => [each.id, each]));
  const isHidden = (each: Item): boolean => {
    for (let up = holderOf(each); up !== '';) {
      if (hidden.has(up)) return true;
      if (moved.has(up)) return false;
      const at = byId.get(up);
      if (!at) return false;
      up = holderOf(at);
    }
    return false;
  };
  const shown = items.filter((each) => !isHidden(each));
  const calls = new Set([...chains.values()].flatMap((chain) => chain.slice(1).map(({ id }) => id)));
  return {
    // A call within a chain has no inside of its own: it is a row.
    items: shown.map((each) => (moved.has(each.scope) ? { ...each, scope: moved.get(each.scope) ?? '' } : each)),
    rounds: new Map([...rounds].filter(([id]) => !calls.has(id))),
  };
}

/** A call is as far as its own nodes are, apart from those of the next call. */
function callRow(call: Item, number: number, inside: readonly Item[]): Round {
  const own = inside.filter((each) => each.name !== call.name);
  return {
    number,
    phase: ENDED.has(call.phase) || own.length === 0 ? call.phase : lookTogether(own),
    began: call.node?.began ?? null,
    ended: call.node?.ended ?? null,
    figures: [],
  };
}
