/** What is read out to people who do not see it. The two regions are always there: one that appears with its text is not read by every reader. */
import { VisuallyHidden } from '@mantine/core';
import { useSyncExternalStore } from 'react';

type Said = { polite: string; assertive: string };

/** The same text twice is told apart by this, which nobody hears. */
const AGAIN = '\u00a0';

let said: Said = { polite: '', assertive: '' };
const listeners = new Set<() => void>();

export function announce(text: string, how: keyof Said = 'polite'): void {
  said = { ...said, [how]: said[how] === text ? text + AGAIN : text };
  listeners.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer() {
  const { polite, assertive } = useSyncExternalStore(subscribe, () => said);
  return (
    <>
      <VisuallyHidden aria-live="polite" data-says="polite">
        {polite}
      </VisuallyHidden>
      <VisuallyHidden aria-live="assertive" data-says="assertive">
        {assertive}
      </VisuallyHidden>
    </>
  );
}
