/** Questions that came while the list must not move: it is scrolled, or something in it is in use. They are told, and shown on request. */
import { useSyncExternalStore } from 'react';
import { entryKey } from './queries';
import type { WaitingView } from './types';

/** How many new questions a list does not show yet; with `isLeast` there may be more. `newest` is the one that came last. */
export type Arrivals = { count: number; isLeast: boolean; newest?: WaitingView | undefined };

const NONE: Arrivals = { count: 0, isLeast: false };
const found = new Map<string, { views: Map<string, WaitingView>; isLeast: boolean; view: Arrivals }>();
const watchers = new Set<() => void>();
/** `used`: somebody points at it, scrolls in it, or moves in it by keys. `covered`: a dialog lies over it. */
export type Hold = 'free' | 'used' | 'covered';

let held: Hold = 'free';

/** While it is held, a list keeps its rows. */
export function hold(how: Hold): void {
  if (held === how) return;
  held = how;
  watchers.forEach((each) => each());
}

export function heldBy(): Hold {
  return held;
}

export function useHold(): Hold {
  return useSyncExternalStore(subscribe, heldBy);
}

/** These questions wait to be shown; `isLeast` if there may be more. */
export function addArrivals(list: string, views: readonly WaitingView[], isLeast: boolean): void {
  const before = found.get(list);
  const all = new Map([...(before?.views ?? []), ...views.map((each) => [entryKey(each), each] as const)]);
  publish(list, all, (before?.isLeast ?? false) || isLeast);
}

export function dropArrivals(list: string, gone: (key: string) => boolean = () => true): void {
  const before = found.get(list);
  if (before === undefined) return;
  const left = new Map([...before.views].filter(([key]) => !gone(key)));
  publish(list, left, left.size > 0 && before.isLeast);
}

function publish(list: string, views: Map<string, WaitingView>, isLeast: boolean): void {
  const newest = [...views.values()].at(-1);
  if (views.size === 0 && !isLeast) found.delete(list);
  else found.set(list, { views, isLeast, view: { count: views.size, isLeast, newest } });
  watchers.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export function useArrivals(list: string): Arrivals {
  return useSyncExternalStore(subscribe, () => found.get(list)?.view ?? NONE);
}
