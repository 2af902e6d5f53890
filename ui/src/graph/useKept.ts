import { useRef } from 'react';

/** Return a list that reuses the previous object of each unchanged element, and the previous list if no element changed. */
export function useKept<T>(next: readonly T[], isSame: (one: T, other: T) => boolean): readonly T[] {
  const before = useRef<readonly T[]>([]);
  const old = before.current;
  const kept = next.map((each, index) => {
    const known = old[index];
    return known !== undefined && isSame(known, each) ? known : each;
  });
  if (kept.length !== old.length || kept.some((each, index) => each !== old[index])) before.current = kept;
  return before.current;
}
