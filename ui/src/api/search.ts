import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';

/**
 * Whether a list may still have its first row: the server gives up a search after some thousand rows, and says where to go on.
 * Pages are asked for until one has a row, or there are no more.
 */
export function useFirstRow(query: UseInfiniteQueryResult<InfiniteData<{ items: unknown[] }>>): boolean {
  const { data, error, fetchNextPage, hasNextPage, isFetching } = query;
  const isOpen = hasNextPage && data !== undefined && data.pages.every((page) => page.items.length === 0);
  const goesOn = isOpen && !isFetching && error === null;
  useEffect(() => {
    if (goesOn) void fetchNextPage();
  }, [goesOn, fetchNextPage]);
  return isOpen;
}
