/** The requests in the order in which the inbox shows them, so that after one the next can be opened. */
import { useState } from 'react';

const STORED = 'tidegate-open-next';

let shown: string[] = [];

export function rememberOrder(ids: string[]): void {
  shown = ids;
}

export function nextAfter(id: string): string | undefined {
  const at = shown.indexOf(id);
  return [...shown.slice(at + 1), ...shown.slice(0, Math.max(at, 0))].find((each) => each !== id);
}

export function useOpensNext(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => localStorage.getItem(STORED) !== 'off');
  return [
    on,
    (next) => {
      localStorage.setItem(STORED, next ? 'on' : 'off');
      setOn(next);
    },
  ];
}
