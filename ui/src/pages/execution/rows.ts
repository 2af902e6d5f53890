/** The nodes of an execution as rows: what is inside of another below it, and many that are alike as one. */
import { grouped } from '../../graph/groups';
import { isNode, type Item } from '../../graph/model';
import { holderOf } from '../../graph/states';

/** `members` are those of a group. */
export type Row = { item: Item; depth: number; members: readonly Item[] };

const NONE: readonly Item[] = [];

/** Return the rows; of what is alike, only those in `open` groups. */
export function rowsOf(items: readonly Item[], open: ReadonlySet<string>): Row[] {
  const all = grouped(items);
  const within = new Map<string, Item[]>();
  for (const each of all) {
    const up = holderOf(each);
    const own = within.get(up);
    if (own) own.push(each);
    else within.set(up, [each]);
  }
  const rows: Row[] = [];
  const add = (up: string, depth: number) => {
    for (const item of within.get(up) ?? []) {
      const isGroup = item.kind === 'group';
      rows.push({ item, depth, members: isGroup ? (within.get(item.id) ?? NONE) : NONE });
      if (!isGroup || open.has(item.id)) add(item.id, depth + 1);
    }
  };
  add('', 0);
  return rows;
}

/** Return rows of the nodes that contain a text, whatever they lie in. */
export function matching(items: readonly Item[], wanted: string): Row[] {
  const low = wanted.trim().toLowerCase();
  return items
    .filter((each) => isNode(each) && (each.name.toLowerCase().includes(low) || each.id.toLowerCase().startsWith(low)))
    .map((item) => ({ item, depth: 0, members: NONE }));
}
