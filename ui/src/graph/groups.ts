/** Many nodes that are alike (the same task over a list of things) as one that unfolds: a graph of a thousand boxes shows nothing. */
import type { Item } from './model';
import { lookTogether } from './states';

const MANY = 20;

/** Return the items with a group around each many that are alike: of one name, after the same nodes, and before the same nodes. */
export function grouped(items: readonly Item[]): Item[] {
  const after = new Map<string, string[]>();
  for (const each of items) {
    for (const up of each.upstream) {
      const known = after.get(up);
      if (known) known.push(each.id);
      else after.set(up, [each.id]);
    }
  }
  const alike = new Map<string, Item[]>();
  for (const each of items) {
    const key = JSON.stringify([each.scope, each.branch, each.name, each.kind, each.upstream, after.get(each.id)]);
    const own = alike.get(key);
    if (own) own.push(each);
    else alike.set(key, [each]);
  }
  const groups = [...alike.values()].filter((each) => each.length >= MANY).map(groupOf);
  if (groups.length === 0) return [...items];
  const groupOfMember = new Map(
    groups.flatMap(({ group, members }) => members.map((each) => [each.id, group.id] as const)),
  );
  const outside = (up: readonly string[]) => [...new Set(up.map((id) => groupOfMember.get(id) ?? id))];
  return [
    ...groups.map(({ group }) => ({ ...group, upstream: outside(group.upstream) })),
    ...items.map((each) => {
      const own = groupOfMember.get(each.id);
      return own === undefined
        ? { ...each, upstream: outside(each.upstream) }
        : { ...each, scope: own, upstream: [], branch: null };
    }),
  ];
}

function groupOf(members: Item[]): { group: Item; members: Item[] } {
  const [first] = members as [Item];
  return {
    members,
    group: {
      ...first,
      id: `${first.id}…`,
      name: `${first.name} × ${members.length}`,
      kind: 'group',
      phase: lookTogether(members),
      cases: [],
      dynamic: false,
      node: null,
    },
  };
}

/** Return grouped items in their current phases, which `all`, the same items ungrouped, have. An unchanged item is the same object as before. */
export function withPhases(items: readonly Item[], all: readonly Item[]): Item[] {
  const now = new Map(all.map((each) => [each.id, each]));
  const members = new Map<string, Item[]>(items.filter(({ kind }) => kind === 'group').map((each) => [each.id, []]));
  for (const { id, scope } of items) {
    const own = now.get(id);
    if (own) members.get(scope)?.push(own);
  }
  return items.map((item) => {
    if (item.kind === 'group') return { ...item, phase: lookTogether(members.get(item.id) ?? []) };
    const own = now.get(item.id);
    return own ? placedAs(own, item) : item;
  });
}

function placedAs(now: Item, item: Item): Item {
  const before = made.get(now);
  if (before?.item === item) return before.placed;
  const placed = { ...item, phase: now.phase, node: now.node };
  made.set(now, { item, placed });
  return placed;
}

const made = new WeakMap<Item, { item: Item; placed: Item }>();
