import { describe, expect, it } from 'vitest';
import type { Box, Places } from './layout';
import { cornersOf, firstView, isWhole, keptView, revealing, wholeView } from './view';

const box = (id: string, x: number, y: number, parent = '', width = 100, height = 40): Box => ({
  id,
  parent,
  x,
  y,
  width,
  height,
});
const places = (width: number, height: number, ...boxes: Box[]): Places => ({
  boxes,
  ways: [],
  width,
  height,
  milliseconds: 1,
});
const size = { width: 800, height: 400 };

describe('the view of a graph', () => {
  it('keeps what was clicked where it was, at the same scale, after a new layout', () => {
    const before = places(400, 100, box('a', 0, 0), box('b', 200, 0));
    const after = places(900, 300, box('a', 0, 120), box('b', 600, 130), box('c', 620, 10, 'b'));
    const now = { x: 30, y: 40, zoom: 1.5 };
    const kept = keptView(now, before, after, ['b'], size);
    expect(kept.zoom).toBe(1.5);
    expect(600 * kept.zoom + kept.x).toBe(200 * now.zoom + now.x);
    expect(130 * kept.zoom + kept.y).toBe(now.y);
  });
  it('keeps what is in the middle when nothing was clicked', () => {
    const before = places(400, 100, box('a', 0, 0), box('b', 360, 190));
    const after = places(900, 300, box('a', 500, 0), box('b', 360, 290));
    expect(keptView({ x: 0, y: 0, zoom: 1 }, before, after, [], size)).toEqual({ x: 0, y: -100, zoom: 1 });
  });
  it('does not move for what is in view, and only as far as needed for what is not', () => {
    const all = places(2000, 100, box('a', 0, 0), box('b', 1500, 0));
    const now = { x: 0, y: 50, zoom: 1 };
    expect(revealing(now, all, 'a', size)).toBe(now);
    expect(revealing(now, all, 'b', size)).toEqual({ x: 800 - 40 - 1600, y: 50, zoom: 1 });
  });
  it('shows everything at first if it can be read, else what matters', () => {
    expect(firstView(places(400, 100, box('a', 0, 0)), size, '')).toEqual(
      wholeView(places(400, 100, box('a', 0, 0)), size),
    );
    const long = places(9000, 100, box('a', 0, 0), box('b', 8000, 0));
    const { x, zoom } = firstView(long, size, 'b');
    expect(8050 * zoom + x).toBe(400);
    expect(firstView(long, size, '').x).toBe(40);
  });
  it('knows where what stands in another box is, and whether all is seen', () => {
    const all = places(500, 100, box('a', 10, 10, '', 300, 80), box('b', 5, 40, 'a'));
    expect(cornersOf(all).get('b')).toEqual({ x: 15, y: 50 });
    expect(isWhole(wholeView(all, size), all, size)).toBe(true);
    expect(isWhole({ x: 0, y: 0, zoom: 2 }, all, size)).toBe(false);
  });
});
