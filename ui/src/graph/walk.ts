/** Going through a graph by keyboard: along its lines, and up and down among what stands beside. */
import type { Around } from './GraphNode';
import type { Places } from './layout';
import type { Item } from './model';
import { asksNow } from './states';

/** A node that comes into view is drawn some frames later. */
const FRAMES = 30;

export function focusOn(id: string): boolean {
  const found = document.querySelector<HTMLElement>(`[data-focus="${CSS.escape(id)}"]`);
  found?.focus({ preventScroll: true });
  return found !== null;
}

/** Give a node the focus as soon as it is drawn. */
export function focusSoon(id: string, frames = FRAMES): void {
  if (frames > 0 && !focusOn(id)) requestAnimationFrame(() => focusSoon(id, frames - 1));
}

/** Return where an arrow key leads from a node. */
export function neighbour(places: Places | undefined, from: string, key: string): string | undefined {
  if (!places) return undefined;
  if (key === 'ArrowRight') return places.ways.find((each) => each.source === from)?.target;
  if (key === 'ArrowLeft') return places.ways.find((each) => each.target === from)?.source;
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
  const own = places.boxes.find((each) => each.id === from);
  if (!own) return undefined;
  const way = key === 'ArrowUp' ? -1 : 1;
  const [near] = places.boxes
    .filter((each) => each.parent === own.parent && (each.y - own.y) * way > 0)
    .sort((a, b) => distance(own, a) - distance(own, b));
  if (near) return near.id;
  // Nothing beside: into the frame, or out of it.
  return key === 'ArrowDown' ? places.boxes.find((each) => each.parent === from)?.id : own.parent || undefined;
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot((a.x - b.x) * 2, a.y - b.y);
}

/** Return what is seen of what waits next: a gate, or what it is folded away in. */
export function nextWaiting(
  items: readonly Item[],
  inside: Around['inside'],
  folded: ReadonlySet<string>,
  from: string | undefined,
): string | undefined {
  const waiting = items.filter(
    (each) => asksNow(each) || (folded.has(each.id) && (inside.get(each.id)?.waiting ?? 0) > 0),
  );
  const at = waiting.findIndex((each) => each.id === from);
  return waiting[(at + 1) % waiting.length]?.id;
}

/** Return the items whose name or id contains a text. */
export function found(items: readonly Item[], text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  return items
    .filter(({ kind, name, id }) => kind !== 'group' && (name.toLowerCase().includes(wanted) || id === wanted))
    .map(({ id }) => id);
}
