/** One line that tells what has just happened, read out too; it goes away by itself. */
import { useSyncExternalStore } from 'react';

const SHOWN_MS = 6_000;

let text = '';
let timer = 0;
const listeners = new Set<() => void>();

export function say(next: string): void {
  text = next;
  window.clearTimeout(timer);
  if (next) timer = window.setTimeout(() => say(''), SHOWN_MS);
  listeners.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Notice() {
  const now = useSyncExternalStore(subscribe, () => text);
  return (
    <div role="status" className={now ? 'notice' : undefined}>
      {now}
    </div>
  );
}
