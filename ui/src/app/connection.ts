/** Whether the server is there, as this tab knows it: from its own requests and from the stream. */
import { useSyncExternalStore } from 'react';
import { onReach } from '../api/client';

/** `since` is when the server was last reached, if it is gone. */
export type Connection = { since: Date | undefined };

const PROBE_MS = 1_500;
const THERE: Connection = { since: undefined };

let now: Connection = THERE;
let probe = 0;
const watchers = new Set<() => void>();
const returns = new Set<() => void>();

export function setReached(reached: boolean): void {
  const wasGone = now.since !== undefined;
  if (reached !== wasGone) return;
  now = reached ? THERE : { since: new Date() };
  if (reached) {
    window.clearInterval(probe);
    returns.forEach((each) => each());
  } else {
    probe = window.setInterval(() => void askHealth(), PROBE_MS);
  }
  watchers.forEach((each) => each());
}

async function askHealth(): Promise<void> {
  if (await isUp()) setReached(true);
}

async function isUp(): Promise<boolean> {
  return fetch('/api/v1/health').then(
    (response) => response.ok,
    () => false,
  );
}

/** Ask whether the server is there, and remember it. */
export async function isReachable(): Promise<boolean> {
  const up = await isUp();
  setReached(up);
  return up;
}

/** Be told when the server is back. Returns what ends that. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

function subscribe(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => now);
}

onReach(setReached);
