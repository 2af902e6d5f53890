/** The rounds of an execution's loops, as its history tells them: which there were, and from when to when. */
import { isObject } from '../../api/json';
import type { EventView, ExecutionView, NodeView } from '../../api/types';
import type { Round } from '../../graph/rounds';
import { ownLook } from '../../graph/states';

/** Return the ids of the loops of an execution, each with the round that it is in. */
export function loopsOf({ nodes }: Pick<ExecutionView, 'nodes'>): Map<string, NodeView> {
  return new Map(nodes.filter((each) => each.round > 1).map((each) => [each.id, each]));
}

/** Return the rounds of each loop, from the first; the last of them goes on. */
export function roundsFrom(
  history: readonly EventView[],
  execution: Pick<ExecutionView, 'nodes'>,
): Map<string, Round[]> {
  const found = new Map([...loopsOf(execution)].map(([id, node]) => [id, firstOf(node)]));
  for (const { at, details } of history) {
    if (!isObject(details.changes)) continue;
    for (const node of Object.keys(details.changes)) {
      const place = placeOf(node);
      const rounds = found.get(place?.loop ?? '');
      if (!place || !rounds) continue;
      const known = rounds[place.round - 1];
      if (known) known.began ??= at;
      else {
        const before = rounds.at(-1);
        if (before) Object.assign(before, { phase: 'SUCCEEDED', ended: at });
        rounds.push({ number: place.round, phase: 'RUNNING', began: at, ended: null, figures: [] });
      }
    }
  }
  for (const [id, rounds] of found) {
    const node = execution.nodes.find((each) => each.id === id);
    const last = rounds.at(-1);
    if (node && last) Object.assign(last, { phase: ownLook(node), ended: node.ended });
  }
  return found;
}

function firstOf(node: NodeView): Round[] {
  return [{ number: 1, phase: 'RUNNING', began: node.began, ended: null, figures: [] }];
}

/** Return the loop and the round that an id belongs to: `n1~3/n0` to the third round of `n1`, and so does `n1~3/n0/n2`. */
function placeOf(id: string): { loop: string; round: number } | undefined {
  const [, loop, round] = /^(.*)~(\d+)\//.exec(id) ?? [];
  return loop === undefined ? undefined : { loop, round: Number(round) };
}
