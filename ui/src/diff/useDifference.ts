import { useEffect, useState } from 'react';
import { difference, type Difference } from './rows';

/** Characters of both texts that are compared at once: that takes less than starting a worker. */
const SMALL = 20_000;
/** Characters of a side that are compared at most. */
export const MOST = 3_000_000;

/** The difference of two texts, worked out off the main thread where they are large; undefined until it is there. */
export function useDifference(left: string, right: string): { found?: Difference; error?: string } {
  const isSmall = left.length + right.length <= SMALL;
  const [state, setState] = useState<{ left: string; right: string; found?: Difference; error?: string }>();
  useEffect(() => {
    if (isSmall) {
      setState({ left, right, found: difference(left, right) });
      return undefined;
    }
    const worker = new Worker(new URL('./diff.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Difference>) => setState({ left, right, found: data });
    worker.onerror = (event) =>
      setState({ left, right, error: event.message || 'the comparison could not be started' });
    worker.postMessage({ left: left.slice(0, MOST), right: right.slice(0, MOST) });
    return () => worker.terminate();
  }, [left, right, isSmall]);
  return state?.left === left && state.right === right ? state : {};
}
