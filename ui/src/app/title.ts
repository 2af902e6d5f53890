/** The title of the tab: what the page is about, and how many questions wait. */
import { useEffect } from 'react';

let about = 'Inbox';
let count = '';

function write(): void {
  document.title = `${count && `(${count}) `}${about} · Tidegate`;
}

export function setTitle(next: string): void {
  about = next;
  write();
}

export function countInTitle(next: string): void {
  count = next;
  write();
}

/** Name what a page is about as long as it is there; empty while that is not known. */
export function useTitle(next: string): void {
  useEffect(() => {
    if (next) setTitle(next);
  }, [next]);
}
