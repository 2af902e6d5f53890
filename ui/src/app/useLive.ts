import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { followChanges } from '../api/live';
import { refresh, refreshAll, refreshRegistered } from '../api/refresh';
import { onReturn, setReached } from './connection';
import { noticeScript } from './version';

/** Keep everything on the page as it is on the server, as long as the page is open. */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const unfollow = followChanges((message) => {
      if ('connected' in message) setReached(message.connected);
      else if ('script' in message) noticeScript(message.script);
      else refresh(queries, message);
    });
    const unwatch = onReturn(() => refreshAll(queries));
    // People register workflows in another window, then come back to this one.
    const look = () => refreshRegistered(queries);
    window.addEventListener('focus', look);
    return () => {
      unfollow();
      unwatch();
      window.removeEventListener('focus', look);
    };
  }, [queries]);
}
