/** Whether the server has another version of the page than this one. Nothing is reloaded before somebody asks for it. */
import { useSyncExternalStore } from 'react';

let outdated = false;
const watchers = new Set<() => void>();

/** The server has this script now, or lacks what this page was to load. */
export function noticeScript(script: string | undefined): void {
  if (outdated || (script !== undefined && document.querySelector(`script[src="${script}"]`) !== null)) return;
  outdated = true;
  watchers.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export function useOutdated(): boolean {
  return useSyncExternalStore(subscribe, () => outdated);
}
