/** What part of a graph is in view. It moves only when somebody moves it, or so that what was clicked stays under the pointer. */
import type { Viewport } from '@xyflow/react';
import type { Places, Point } from './layout';

export type Size = { width: number; height: number };

/** Around what is fitted into view, as a part of the view. */
const AROUND = 0.05;
const LARGEST = 1.1;
/** Below this, names cannot be read: then only a part is shown at first. */
const READABLE = 0.5;
const COMFORTABLE = 0.85;
const MARGIN = 40;

/** Return where each box stands, from the corner of the whole. */
export function cornersOf(places: Places): Map<string, Point> {
  const found = new Map<string, Point>();
  // A box comes after the one it stands in.
  for (const { id, parent, x, y } of places.boxes) {
    const up = found.get(parent) ?? { x: 0, y: 0 };
    found.set(id, { x: up.x + x, y: up.y + y });
  }
  return found;
}

/** Return a view of everything. */
export function wholeView(places: Places, size: Size): Viewport {
  const room = 1 - 2 * AROUND;
  const zoom = Math.min((size.width * room) / places.width, (size.height * room) / places.height, LARGEST);
  return {
    x: (size.width - places.width * zoom) / 2,
    y: (size.height - places.height * zoom) / 2,
    zoom,
  };
}

/** Return the first view: everything, if it can be read; else what matters most, or the beginning. */
export function firstView(places: Places, size: Size, matters: string): Viewport {
  const whole = wholeView(places, size);
  if (whole.zoom >= READABLE) return whole;
  const corner = cornersOf(places).get(matters);
  const box = places.boxes.find(({ id }) => id === matters);
  const zoom = COMFORTABLE;
  const middle =
    corner && box ? { x: corner.x + box.width / 2, y: corner.y + Math.min(box.height, 300) / 2 } : undefined;
  const y = middle ? size.height / 2 - middle.y * zoom : size.height / 2 - (places.height / 2) * zoom;
  return { zoom, x: middle ? size.width / 2 - middle.x * zoom : MARGIN, y };
}

/** Return the view in which what is to stay is where it was before a new layout. */
export function keptView(now: Viewport, before: Places, after: Places, stays: readonly string[], size: Size): Viewport {
  const [old, fresh] = [cornersOf(before), cornersOf(after)];
  const anchor = stays.find((id) => old.has(id) && fresh.has(id)) ?? nearest(now, old, fresh, size);
  const [from, to] = [old.get(anchor ?? ''), fresh.get(anchor ?? '')];
  if (!from || !to) return now;
  return { ...now, x: now.x + (from.x - to.x) * now.zoom, y: now.y + (from.y - to.y) * now.zoom };
}

/** Return what stands nearest to the middle of the view, before and after. */
function nearest(
  { x, y, zoom }: Viewport,
  old: ReadonlyMap<string, Point>,
  fresh: ReadonlyMap<string, Point>,
  size: Size,
): string | undefined {
  const middle = { x: (size.width / 2 - x) / zoom, y: (size.height / 2 - y) / zoom };
  let best: string | undefined;
  let least = Infinity;
  for (const [id, at] of old) {
    const far = Math.hypot(at.x - middle.x, at.y - middle.y);
    if (far < least && fresh.has(id)) [best, least] = [id, far];
  }
  return best;
}

/** Return the view moved just so far that a box is in it; the same view if it is. */
export function revealing(now: Viewport, places: Places, id: string, size: Size): Viewport {
  const corner = cornersOf(places).get(id);
  const box = places.boxes.find((each) => each.id === id);
  if (!corner || !box) return now;
  const along = (at: number, length: number, shift: number, room: number) => {
    const [start, end] = [at * now.zoom + shift, (at + length) * now.zoom + shift];
    if (start < MARGIN || end - start > room) return shift + MARGIN - start;
    return end > room - MARGIN ? shift + room - MARGIN - end : shift;
  };
  const isSeen = (at: number, length: number, shift: number, room: number) =>
    at * now.zoom + shift >= 0 && Math.min((at + length) * now.zoom, at * now.zoom + room / 2) + shift <= room;
  const x = isSeen(corner.x, box.width, now.x, size.width) ? now.x : along(corner.x, box.width, now.x, size.width);
  const y = isSeen(corner.y, box.height, now.y, size.height) ? now.y : along(corner.y, box.height, now.y, size.height);
  return x === now.x && y === now.y ? now : { ...now, x, y };
}

/** Whether all of a graph is in view. */
export function isWhole({ x, y, zoom }: Viewport, places: Places, size: Size): boolean {
  const slack = 2;
  return (
    x >= -slack &&
    y >= -slack &&
    x + places.width * zoom <= size.width + slack &&
    y + places.height * zoom <= size.height + slack
  );
}
