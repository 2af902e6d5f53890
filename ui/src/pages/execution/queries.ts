/** What the pages of executions and workflows ask for. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { REGISTERED } from '../../api/refresh';
import type { Round } from '../../graph/rounds';
import { ApiError, get, getText, segments, type Query } from '../../api/client';
import type {
  AttemptLog,
  EventList,
  EventView,
  ExecutionPage,
  ExecutionView,
  LogList,
  NodeView,
  RecoveryView,
  RoundList,
  RoundNodes,
  RoundView,
  WorkflowDetail,
  WorkflowList,
} from '../../api/types';

const PAGE = 50;
const HISTORY_PAGE = 1_000;
export const LONGEST_HISTORY = 10_000;
const FOLLOW_MS = 1_000;
const DECK_MS = 2_000;
const ROUNDS_PAGE = 500;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Spans of time that end now, by what they are called in an address. */
export const SPANS: Record<string, { label: string; milliseconds: number }> = {
  hour: { label: 'In the last hour', milliseconds: HOUR_MS },
  day: { label: 'In the last 24 hours', milliseconds: DAY_MS },
  week: { label: 'In the last 7 days', milliseconds: 7 * DAY_MS },
  month: { label: 'In the last 30 days', milliseconds: 30 * DAY_MS },
};

export type ExecutionFilter = { phase: string[]; end: string[]; text: string; workflow: string; launched: string };

export function executionsQuery(filter: ExecutionFilter) {
  const { launched, ...plain } = filter;
  const span = SPANS[launched]?.milliseconds;
  const since = () => (span === undefined ? '' : new Date(Date.now() - span).toISOString());
  return infiniteQueryOptions({
    queryKey: ['executions', filter],
    queryFn: ({ pageParam, signal }) =>
      get<ExecutionPage>(
        '/api/v1/executions',
        { ...plain, since: since(), cursor: pageParam, limit: PAGE } as Query,
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  });
}

/** The history, from its beginning; of a very long one only the first part. Only what is new is fetched. */
export function historyQuery({ id, launched }: Pick<ExecutionView, 'id' | 'launched'>) {
  const queryKey = ['execution', id, 'history', launched];
  return queryOptions({
    queryKey,
    queryFn: async ({ client, signal }) => {
      const found = [...(client.getQueryData<EventView[]>(queryKey) ?? [])];
      while (found.length < LONGEST_HISTORY) {
        const { items } = await get<EventList>(
          `/api/v1/executions/${segments(id)}/events`,
          { after: found.at(-1)?.seq ?? 0, limit: HISTORY_PAGE },
          signal,
        );
        found.push(...items);
        if (items.length < HISTORY_PAGE) break;
      }
      return found;
    },
  });
}

/** What the attempts of a node printed, or those of all nodes. Only what is new is fetched, each second while something runs: output is not an event. */
export function logsQuery(id: string, node: string, isRunning: boolean) {
  const queryKey = ['execution', id, 'logs', node];
  const path = node === '' ? '' : `/nodes/${node.split('/').map(encodeURIComponent).join('/')}`;
  return queryOptions({
    queryKey,
    queryFn: async ({ client, signal }) => {
      const old = client.getQueryData<LogList>(queryKey);
      const fresh = await get<LogList>(
        `/api/v1/executions/${segments(id)}${path}/logs`,
        { after: old?.next || '0' },
        signal,
      );
      return old ? continued(old, fresh) : fresh;
    },
    refetchInterval: isRunning ? FOLLOW_MS : false,
  });
}

/** Return logs with what was printed since. */
function continued(old: LogList, fresh: LogList): LogList {
  const key = ({ node, attempt }: AttemptLog) => `${node} ${attempt}`;
  const more = new Map(fresh.items.map((each) => [key(each), each]));
  const items = old.items.map((each) => {
    const own = more.get(key(each));
    more.delete(key(each));
    return own ? { ...each, text: each.text + own.text } : each;
  });
  return { ...fresh, items: [...items, ...more.values()] };
}

export function deckPath(id: string, node: string, attempt: number): string {
  return `/api/v1/executions/${segments(id)}/nodes/${node.split('/').map(encodeURIComponent).join('/')}/deck?attempt=${attempt}`;
}

/** The report of an attempt, `null` if it has written none. While the attempt runs, it may publish another. */
export function deckQuery(id: string, node: string, attempt: number, isRunning: boolean) {
  return queryOptions({
    queryKey: ['execution', id, 'deck', node, attempt],
    queryFn: async () => {
      try {
        return await getText(deckPath(id, node, attempt));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: isRunning ? DECK_MS : false,
  });
}

/** A node with its values whole, however large they are. */
export function nodeQuery(id: string, node: string) {
  return queryOptions({
    queryKey: ['execution', id, 'node', node],
    queryFn: ({ signal }) =>
      get<NodeView>(
        `/api/v1/executions/${segments(id)}/nodes/${node.split('/').map(encodeURIComponent).join('/')}/values`,
        {},
        signal,
      ),
  });
}

export type LoopRounds = { rounds: Round[]; most: number };

/** The rounds of a loop. Those that have ended do not change, so only the others are fetched again. */
export function roundsQuery(id: string, loop: string) {
  const queryKey = ['execution', id, 'rounds', loop];
  return queryOptions({
    queryKey,
    queryFn: async ({ client, signal }): Promise<LoopRounds> => {
      const known = client.getQueryData<LoopRounds>(queryKey)?.rounds.filter(({ ended }) => ended !== null) ?? [];
      for (let most = 0; ;) {
        const page = await get<RoundList>(
          `${nodePath(id, loop)}/rounds`,
          { after: known.at(-1)?.number ?? 0, limit: ROUNDS_PAGE },
          signal,
        );
        most = page.most;
        known.push(...page.items.map(roundOf));
        if (page.next === null) return { rounds: known, most };
      }
    },
  });
}

function roundOf({ round, phase, began, ended, outputs }: RoundView): Round {
  return { number: round, phase, began, ended, figures: Object.entries(outputs) };
}

/** The nodes of a round of a loop. */
export function roundQuery(id: string, loop: string, round: number) {
  return queryOptions({
    queryKey: ['execution', id, 'round', loop, round],
    queryFn: ({ signal }) => get<RoundNodes>(`${nodePath(id, loop)}/round`, { round }, signal),
  });
}

function nodePath(id: string, node: string): string {
  return `/api/v1/executions/${segments(id)}/nodes/${node.split('/').map(encodeURIComponent).join('/')}`;
}

export const workflowsQuery = queryOptions({
  queryKey: ['workflows'],
  queryFn: ({ signal }) => get<WorkflowList>('/api/v1/workflows', {}, signal),
  meta: REGISTERED,
});

export function versionsQuery(name: string) {
  return queryOptions({
    queryKey: ['workflows', name, 'versions'],
    queryFn: ({ signal }) => get<WorkflowList>(`/api/v1/workflows/${segments(name)}/versions`, {}, signal),
    meta: REGISTERED,
  });
}

/** A version of a workflow never changes; the latest may. */
export function workflowQuery(name: string, version = '') {
  return queryOptions({
    queryKey: ['workflows', name, 'detail', version],
    queryFn: ({ signal }) => get<WorkflowDetail>(`/api/v1/workflows/${segments(name)}`, { version }, signal),
    staleTime: version === '' ? 2_000 : Infinity,
  });
}

/** What a recovery of an execution would do: decided by the server, and not stored. */
export function recoveryQuery(id: string) {
  return queryOptions({
    queryKey: ['execution', id, 'recovery'],
    queryFn: ({ signal }) => get<RecoveryView>(`/api/v1/executions/${segments(id)}/recovery`, {}, signal),
  });
}
