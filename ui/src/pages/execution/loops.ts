/** Which nodes are loops, and which belong to which round of one. */
import type { NodeView } from '../../api/types';

/** Return the loops among some nodes: what is in its second round, or a later one. */
export function loopsOf(nodes: readonly NodeView[]): Map<string, NodeView> {
  return new Map(nodes.filter((each) => each.round > 1).map((each) => [each.id, each]));
}

/** Return nodes with those of another round in place of those that a loop has now. */
export function withRound(nodes: readonly NodeView[], loop: string, round: readonly NodeView[]): NodeView[] {
  return [...nodes.filter(({ id }) => !id.startsWith(`${loop}~`) && !id.startsWith(`${loop}/`)), ...round];
}

/** Where in a loop a node is: `n1~3/n0` is `n0` in the third round of `n1`. */
export type Turn = { loop: string; round: number; rest: string };

export function turnOf(id: string, loops: Iterable<string>): Turn | undefined {
  let found: Turn | undefined;
  for (const loop of loops) {
    const [, round, rest] = id.startsWith(loop) ? (/^(?:~(\d+))?\/(.*)$/.exec(id.slice(loop.length)) ?? []) : [];
    // Of loops in loops, the inner one.
    if (rest !== undefined && (found === undefined || loop.length > found.loop.length))
      found = { loop, round: Number(round ?? 1), rest };
  }
  return found;
}

/** Return the id of the same node in another round. */
export function idIn({ loop, rest }: Turn, round: number): string {
  return round === 1 ? `${loop}/${rest}` : `${loop}~${round}/${rest}`;
}
