import { useEffect, useState } from 'react';

const GUARD_MS = 350;

/** Whether the question has only just appeared or become decidable: a click or key meant for what was here before decides nothing. */
export function useSettling(isHindered: boolean): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    setSettled(false);
    if (isHindered) return undefined;
    const timer = window.setTimeout(() => setSettled(true), GUARD_MS);
    return () => window.clearTimeout(timer);
  }, [isHindered]);
  return !settled;
}
