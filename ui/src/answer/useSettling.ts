import { useEffect, useState } from 'react';

const GUARD_MS = 350;

/** Whether the question has only just come up: a second click or key that was meant for what stood here before decides nothing. */
export function useSettling(): boolean {
  const [settling, setSettling] = useState(true);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettling(false), GUARD_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return settling;
}
