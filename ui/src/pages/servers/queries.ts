import { queryOptions } from '@tanstack/react-query';
import { get } from '../../api/client';
import type { ReplicaList } from '../../api/types';

/** Milliseconds between two looks at servers that share a store: no event tells of their leases. A store in a file is looked at once. */
const LOOK_AGAIN = 5_000;

export const replicasQuery = queryOptions({
  queryKey: ['replicas'],
  queryFn: ({ signal }) => get<ReplicaList>('/api/v1/replicas', {}, signal),
  refetchInterval: ({ state }) => ((state.data?.items.length ?? 0) > 0 ? LOOK_AGAIN : false),
});
