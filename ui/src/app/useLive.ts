import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { followChanges } from '../api/live';
import { refresh } from '../api/refresh';
import { onReturn, setReached } from './connection';

/** Keep everything on the page as it is on the server, as long as the page is open. */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const unfollow = followChanges((message) => {
      if ('connected' in message) setReached(message.connected);
      else refresh(queries, message);
    });
    const unwatch = onReturn(() => void queries.invalidateQueries());
    return () => {
      unfollow();
      unwatch();
    };
  }, [queries]);
}
