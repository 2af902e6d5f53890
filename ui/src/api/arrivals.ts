/** Questions that came while the list must not move: it is scrolled, or something in it is in use. They are told, and shown on request. */
import { useSyncExternalStore } from 'react';

/** How many new questions a list does not show yet, by the key of its query; `undefined` many are some, not counted. */
export type Arrivals = { count: number; isLeast: boolean };

const NONE: Arrivals = { count: 0, isLeast: false };
const found = new Map<string, { keys: Set<string>; isLeast: boolean; view: Arrivals }>();
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

/** Questions with these keys wait to be shown; `isLeast` if there may be more. */
export function addArrivals(list: string, keys: readonly string[], isLeast: boolean): void {
  const before = found.get(list) ?? { keys: new Set<string>(), isLeast: false };
  keys.forEach((each) => before.keys.add(each));
  publish(list, before.keys, before.isLeast || isLeast);
}

export function dropArrivals(list: string, gone: (key: string) => boolean = () => true): void {
  const before = found.get(list);
  if (before === undefined) return;
  const keys = new Set([...before.keys].filter((each) => !gone(each)));
  publish(list, keys, keys.size > 0 && before.isLeast);
}

function publish(list: string, keys: Set<string>, isLeast: boolean): void {
  if (keys.size === 0 && !isLeast) found.delete(list);
  else found.set(list, { keys, isLeast, view: { count: keys.size, isLeast } });
  watchers.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export function useArrivals(list: string): Arrivals {
  return useSyncExternalStore(subscribe, () => found.get(list)?.view ?? NONE);
}
