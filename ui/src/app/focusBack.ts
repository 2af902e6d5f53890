/** Where Back leads, the link that was followed has the focus again: who walks a list by keyboard keeps their place. */
import type { RouterHistory } from '@tanstack/react-router';

/** Milliseconds within which the page must be there again; it comes out of the cache. */
const PATIENCE_MS = 2_000;
/** Links that are remembered: Back is pressed a few times, not a hundred. */
const MOST = 50;

export function followLinks(history: RouterHistory): () => void {
  const followed = new Map<string, string>();
  const key = () => history.location.state.__TSR_key ?? '';
  const note = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest('#main a[href]') : null;
    const href = link?.getAttribute('href');
    if (!href) return;
    followed.delete(key());
    followed.set(key(), href);
    const [oldest] = followed.keys();
    if (followed.size > MOST && oldest !== undefined) followed.delete(oldest);
  };
  const unsubscribe = history.subscribe(({ action }) => {
    if (action.type === 'PUSH' || action.type === 'REPLACE') return;
    const href = followed.get(key());
    if (href !== undefined) focusSoon(href, performance.now() + PATIENCE_MS);
  });
  document.addEventListener('click', note, true);
  return () => {
    unsubscribe();
    document.removeEventListener('click', note, true);
  };
}

/** Focus a link once it is there, unless something else has taken the focus, or a dialog lies over it. */
function focusSoon(href: string, until: number): void {
  requestAnimationFrame(() => {
    if (document.querySelector('[role=dialog]') !== null) return;
    const at = document.activeElement;
    if (at !== null && at !== document.body && at.id !== 'main' && at.isConnected) return;
    const link = document.querySelector<HTMLElement>(`#main a[href="${CSS.escape(href)}"]`);
    if (link) link.focus();
    else if (performance.now() < until) focusSoon(href, until);
  });
}
