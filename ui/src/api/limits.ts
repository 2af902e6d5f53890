/** What the server takes at most, so that the page can say it before something is sent that it would refuse. */
import { queryOptions } from '@tanstack/react-query';
import { get } from './client';
import type { LimitsView } from './types';

export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: ({ signal }) => get<LimitsView>('/api/v1/limits', {}, signal),
  // They change with the version of the server, and with that the page is loaded again.
  staleTime: Infinity,
});
