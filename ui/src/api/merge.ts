/** An execution is fetched whole once, and after that only what changed. What did not change stays the same object, so that it is not rendered again. */
import type { ExecutionView, NodeView, WaitingView } from './types';

/** Whether a reply to `after` continues what is known. It does not if it has the inputs, or fewer lines (the store was recreated): then it is everything. */
export function continues(old: ExecutionView, fresh: ExecutionView): boolean {
  return fresh.inputs === undefined && fresh.seq >= old.seq && fresh.launched === old.launched;
}

/** Return what is known together with what has changed since. */
export function merged(old: ExecutionView, fresh: ExecutionView): ExecutionView {
  const changed = new Map(fresh.nodes.map((each) => [each.id, each]));
  const gone = replacedBy(old.nodes, fresh.nodes);
  const isOver = fresh.outputs !== null || fresh.error !== null;
  return {
    ...fresh,
    inputs: fresh.inputs ?? old.inputs,
    nodes: changed.size === 0 ? old.nodes : mergedNodes(old.nodes, changed, gone),
    waiting: isOver ? [] : mergedWaiting(old.waiting, fresh.waiting, changed, gone),
  };
}

function mergedNodes(
  old: readonly NodeView[],
  changed: ReadonlyMap<string, NodeView>,
  gone: ReadonlySet<string>,
): NodeView[] {
  const known = new Set(old.map((each) => each.id));
  const kept = old.flatMap((each) => (gone.has(each.id) ? [] : [changed.get(each.id) ?? each]));
  return [...kept, ...[...changed.values()].filter((each) => !known.has(each.id))];
}

/** Return the prefix that the ids of all nodes of one graph share. Each round of a loop has its own, and replaces the round before. */
export function graphOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf('/')));
}

/** Return the nodes that a newer round of the same parent has replaced, and everything inside them. */
function replacedBy(old: readonly NodeView[], fresh: readonly NodeView[]): Set<string> {
  const now = new Map(fresh.map(({ id, round }) => [id, round > 1 ? `${id}~${round}` : id]));
  const gone = new Set<string>();
  // A parent comes before its children.
  for (const { id, parent } of old) {
    if (gone.has(parent) || (now.get(parent) ?? graphOf(id)) !== graphOf(id)) gone.add(id);
  }
  return gone;
}

/** Keep the server's order: as they stand in the source. */
function mergedWaiting(
  old: WaitingView[],
  fresh: WaitingView[],
  changed: ReadonlyMap<string, unknown>,
  gone: ReadonlySet<string>,
): WaitingView[] {
  const left = new Map(fresh.map((each) => [each.node, each]));
  const kept = old.flatMap((each) => {
    if (!changed.has(each.node)) return gone.has(each.node) ? [] : [each];
    const now = left.get(each.node);
    if (now?.opened !== each.opened) return [];
    left.delete(each.node);
    return [now];
  });
  return [...kept, ...left.values()].sort((a, b) => bySource(a.node, b.node));
}

/** Compare the ids of nodes as they stand in the source: `n2/n0` after `n2`, and before `n3` and `n10`. */
function bySource(a: string, b: string): number {
  const [one, other] = [a, b].map((id) => (id.match(/[0-9]+/g) ?? []).map(Number)) as [number[], number[]];
  const at = one.findIndex((number, index) => number !== other[index]);
  return at < 0 ? one.length - other.length : one[at]! - (other[at] ?? -1);
}
