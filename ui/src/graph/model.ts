/** What a graph shows: the nodes of a workflow or of an execution as one kind of thing, and which of them are seen when some are folded. */
import type { ExecutionView, GraphNodeView, NodeView } from '../api/types';
import { ENDED } from './phases';
import { asksNow, holderOf, ownLook, withLooks } from './states';

/** `belongs` is what an item folds away under: the sub-workflow or dynamic task it runs in, or the branch whose case it is of. */
export type Item = {
  id: string;
  name: string;
  kind: string;
  phase: string;
  scope: string;
  upstream: readonly string[];
  branch: { id: string; index: number } | null;
  cases: readonly string[];
  dynamic: boolean;
  node: NodeView | null;
};

export type Link = { id: string; source: string; target: string; label: string };
export type Shape = { items: Item[]; links: Link[]; foldable: Map<string, number> };

const MANY = 300;

const KINDS: Record<string, string> = {
  task: 'Task',
  sleep: 'Pause',
  input: 'Input',
  approve: 'Approval',
  branch: 'Branch',
  workflow: 'Sub-workflow',
  group: 'All alike',
  fail: 'Fails',
};
/** How the words of a last case begin that has no nodes: the execution fails. */
const ELSE_FAIL = 'else fail: ';

export function kindWord(kind: string, dynamic = false): string {
  return dynamic ? 'Dynamic task' : (KINDS[kind] ?? kind);
}

const NO_CASES: readonly string[] = [];

function itemOf(planned: GraphNodeView | undefined, node: NodeView | null, id: string): Item {
  const seen = node ?? planned;
  const kind = seen?.kind ?? 'task';
  return {
    id,
    name: seen?.name ?? id,
    kind,
    phase: node === null ? 'NONE' : ownLook(node),
    scope: seen?.parent ?? '',
    upstream: seen?.upstream ?? [],
    branch: planned?.case ? { id: planned.case.branch, index: planned.case.index } : null,
    cases: planned?.cases ?? NO_CASES,
    dynamic: planned?.dynamic ?? false,
    node,
  };
}

/** Return the items of a workflow before it runs. */
export function itemsOfWorkflow(nodes: readonly GraphNodeView[]): Item[] {
  return withFails(nodes.map((each) => itemOf(each, null, each.id)));
}

/** Return the items of an execution; what its workflow says of their branches is added. */
export function itemsOfExecution(execution: ExecutionView, planned: readonly GraphNodeView[]): Item[] {
  const known = new Map(planned.map((each) => [each.id, each]));
  return withLooks(withFails(execution.nodes.map((each) => itemOfNode(known.get(each.id), each))));
}

/** Add what a branch does that has no case left: it fails, and that is a place in the graph like any other. */
function withFails(items: readonly Item[]): Item[] {
  return items.flatMap((each) => {
    const fail = failOf(each);
    return fail ? [each, fail] : [each];
  });
}

const fails = new WeakMap<Item, Item>();

function failOf(branch: Item): Item | undefined {
  const index = branch.cases.length - 1;
  const words = branch.cases[index] ?? '';
  if (!words.startsWith(ELSE_FAIL)) return undefined;
  const before = fails.get(branch);
  if (before) return before;
  const taken = branch.node?.case ?? null;
  const left = branch.phase === 'NONE' ? 'NONE' : ENDED.has(branch.phase) || taken !== null ? 'SKIPPED' : 'NOT_STARTED';
  const fail: Item = {
    id: `${branch.id}!`,
    name: words.slice(ELSE_FAIL.length),
    kind: 'fail',
    phase: taken === index || branch.node?.failure?.code === 'BranchFailed' ? 'FAILED' : left,
    scope: branch.scope,
    upstream: NO_CASES,
    branch: { id: branch.id, index },
    cases: NO_CASES,
    dynamic: false,
    node: null,
  };
  fails.set(branch, fail);
  return fail;
}

/** Return what a case is called at its line. */
export function caseWord(words: string): string {
  return words.startsWith(ELSE_FAIL) ? 'else' : words;
}

/** Return the item of a node; for an unchanged node, the same object as before. */
function itemOfNode(planned: GraphNodeView | undefined, node: NodeView): Item {
  const before = made.get(node);
  if (before && before.planned === planned) return before.item;
  const item = itemOf(planned, node, node.id);
  made.set(node, { planned, item });
  return item;
}

const made = new WeakMap<NodeView, { planned: GraphNodeView | undefined; item: Item }>();

/** Whether two items have the same place in the graph, whatever their phases. */
export function sameShape(one: Item, other: Item): boolean {
  return (
    one === other ||
    (one.id === other.id &&
      one.name === other.name &&
      one.kind === other.kind &&
      one.scope === other.scope &&
      one.dynamic === other.dynamic &&
      one.branch?.id === other.branch?.id &&
      one.branch?.index === other.branch?.index &&
      one.cases === other.cases &&
      one.upstream.length === other.upstream.length &&
      one.upstream.every((each, index) => each === other.upstream[index]))
  );
}

/** Whether there is more to see than a graph can show at once. */
export function isTooMuch(items: readonly Item[]): boolean {
  const groups = new Set(items.filter((each) => each.kind === 'group').map((each) => each.id));
  return items.filter((each) => !groups.has(each.scope)).length > MANY;
}

/** Return what is folded until somebody unfolds it: what is alike; and, in a coarse view, all else. */
export function foldedAtFirst(items: readonly Item[], isCoarse: boolean): Set<string> {
  const groups = items.filter((each) => each.kind === 'group').map((each) => each.id);
  return new Set(isCoarse ? [...groups, ...items.map((each) => each.scope).filter((scope) => scope !== '')] : groups);
}

/** Return everything that an item lies in, from the inside out. */
export function holders(item: Item, byId: ReadonlyMap<string, Item>): string[] {
  const found: string[] = [];
  for (let at: Item | undefined = item; at !== undefined;) {
    const up: string = holderOf(at);
    if (up === '') break;
    found.push(up);
    at = byId.get(up);
  }
  return found;
}

/** Return what is seen of some items, and the lines between; `folded` are the ids whose inside is hidden. */
export function shapeOf(all: readonly Item[], folded: ReadonlySet<string>): Shape {
  const byId = new Map(all.map((each) => [each.id, each]));
  const foldable = new Map<string, number>();
  for (const each of all)
    if (isNode(each)) for (const up of holders(each, byId)) foldable.set(up, (foldable.get(up) ?? 0) + 1);
  const items = all.filter((each) => !holders(each, byId).some((up) => folded.has(up)));
  const seen = new Set(items.map((each) => each.id));
  return { items, links: linksOf(items, seen, byId), foldable };
}

function linksOf(items: readonly Item[], seen: ReadonlySet<string>, byId: ReadonlyMap<string, Item>): Link[] {
  const ends = new Map<string, Item[]>();
  const feeding = new Set(
    items.flatMap((each) => each.upstream.map((up) => `${each.branch?.id ?? ''}|${each.branch?.index ?? ''}|${up}`)),
  );
  for (const each of items) {
    if (
      each.branch === null ||
      each.kind === 'fail' ||
      feeding.has(`${each.branch.id}|${each.branch.index}|${each.id}`)
    )
      continue;
    ends.set(each.branch.id, [...(ends.get(each.branch.id) ?? []), each]);
  }
  const links = new Map<string, Link>();
  const add = (source: string, target: string, label = '') => {
    const id = `${source}>${target}`;
    if (source !== target && seen.has(source) && seen.has(target) && !(links.has(id) && label === ''))
      links.set(id, { id, source, target, label });
  };
  for (const each of items) {
    for (const up of each.upstream) {
      for (const source of sources(up, ends, byId, seen)) add(source, each.id);
    }
    if (each.branch !== null) {
      const own = each.branch;
      const begins = !each.upstream.some((up) => byId.get(up)?.branch?.id === own.id);
      if (begins) add(own.id, each.id, caseWord(byId.get(own.id)?.cases[own.index] ?? ''));
    }
  }
  return [...links.values()];
}

/** What comes out of a branch comes out of the last nodes of its cases; what is in a folded branch, out of the branch. */
function sources(
  up: string,
  ends: ReadonlyMap<string, Item[]>,
  byId: ReadonlyMap<string, Item>,
  seen: ReadonlySet<string>,
): string[] {
  const last = ends.get(up);
  if (last) return last.flatMap((each) => sources(each.id, ends, byId, seen));
  let at = byId.get(up);
  while (at !== undefined && !seen.has(at.id) && at.branch !== null) at = byId.get(at.branch.id);
  return at === undefined ? [] : [at.id];
}

/** Whether an item is a node of its own, and not drawn around or beside some. */
export function isNode({ kind }: Item): boolean {
  return kind !== 'group' && kind !== 'fail';
}

/** How much of what lies in a holder has ended, and whether somebody is asked for something in it. */
export type Inside = { total: number; ended: number; waiting: number };

export function insideOf(items: readonly Item[]): Map<string, Inside> {
  const byId = new Map(items.map((each) => [each.id, each]));
  const found = new Map<string, Inside>();
  for (const each of items) {
    if (!isNode(each)) continue;
    for (const up of holders(each, byId)) {
      const sum = found.get(up) ?? { total: 0, ended: 0, waiting: 0 };
      sum.total += 1;
      if (ENDED.has(each.phase)) sum.ended += 1;
      if (asksNow(each)) sum.waiting += 1;
      found.set(up, sum);
    }
  }
  return found;
}

/** Return what names a shape: the same text is laid out the same way. Phases are not part of it. */
export function shapeKey(shape: Shape, rows: ReadonlyMap<string, number>): string {
  return JSON.stringify([
    [...rows],
    shape.items.map((each) => [each.id, each.scope, each.name]),
    shape.links.map((each) => [each.id, each.label]),
  ]);
}
