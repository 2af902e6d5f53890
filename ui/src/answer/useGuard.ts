import { useCallback, useRef } from 'react';

const GUARD_MS = 350;

/** Whether the request has been on the screen for a moment: a key that was meant for the one before answers nothing. */
export function useGuard(): () => boolean {
  const since = useRef(performance.now());
  return useCallback(() => performance.now() - since.current > GUARD_MS, []);
}
