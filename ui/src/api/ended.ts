/** Whether the session of this page has ended, as its own requests have found out; other tabs tell through `session.ts`. */
import { useSyncExternalStore } from 'react';

let ended = false;
const watchers = new Set<() => void>();
const resumptions = new Set<() => void>();

export function sessionEnded(): void {
  if (ended) return;
  ended = true;
  watchers.forEach((each) => each());
}

export function sessionResumed(): void {
  if (!ended) return;
  ended = false;
  watchers.forEach((each) => each());
  resumptions.forEach((each) => each());
}

/** Be told when somebody has signed in again. Returns what ends that. */
export function onResumed(listener: () => void): () => void {
  resumptions.add(listener);
  return () => resumptions.delete(listener);
}

function subscribe(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export function isSessionEnded(): boolean {
  return ended;
}

export function useSessionEnded(): boolean {
  return useSyncExternalStore(subscribe, isSessionEnded);
}
