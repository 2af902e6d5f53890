import type { QueryClient } from '@tanstack/react-query';
import { followChanges } from '../api/live';
import { refresh, refreshAll, refreshRegistered } from '../api/refresh';
import { onReturn, setReached } from './connection';
import { noticeScript } from './version';

/** Keep everything on the page as it is on the server, as long as the page is open. */
export function follow(queries: QueryClient): void {
  followChanges((message) => {
    if ('connected' in message) setReached(message.connected);
    else if ('script' in message) noticeScript(message.script);
    else refresh(queries, message);
  });
  onReturn(() => refreshAll(queries));
  // People register workflows in another window, then come back to this one.
  window.addEventListener('focus', () => refreshRegistered(queries));
}
