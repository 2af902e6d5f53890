/** What the pages ask for, each under a key that begins with its noun, so that a change asks again for what it concerns. */
import { infiniteQueryOptions, queryOptions, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { get, getShared, segments, type Query } from './client';
import { continues, graphOf, merged } from './merge';
import type { ExecutionView, InboxPage, InboxSummary, SignalList, WaitingView } from './types';

/** The first page is small, so that it is there at once; who scrolls on wants many. */
const PAGE = 40;
const NEXT_PAGE = 250;

/** Milliseconds for which a question is kept after it was shown: who goes back and forth has it at once. */
const KEPT_MS = 60_000;

/** Milliseconds after which one looks again at an execution with an attempt that has not begun. */
const LOOK_AGAIN = 2_000;

/** As the server takes it. */
export type InboxFilter = {
  yours?: boolean;
  workflow?: string;
  kind?: string;
  due?: string;
  zone?: number;
  project?: string;
  sort?: string;
  text?: string;
};

export function inboxQuery(filter: InboxFilter) {
  return infiniteQueryOptions({
    queryKey: ['inbox', filter],
    queryFn: ({ pageParam, signal }) =>
      getShared<InboxPage>(
        '/api/v1/inbox',
        { ...filter, cursor: pageParam, limit: pageParam ? NEXT_PAGE : PAGE } as Query,
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
    // The stream tells of changes.
    staleTime: Infinity,
  });
}

/** What names a list among the lists. */
export function listKey(queryKey: readonly unknown[]): string {
  return JSON.stringify(queryKey);
}

/** How many questions there are, and of which workflows; asked for on every page. */
export const summaryQuery = queryOptions({
  queryKey: ['summary'],
  queryFn: ({ signal }) => getShared<InboxSummary>('/api/v1/inbox/summary', {}, signal),
  staleTime: Infinity,
});

/** Return the inbox's row of a request, if there is one. */
export function rowOf(queries: QueryClient, execution: string, path: string): WaitingView | undefined {
  const lists = queries.getQueriesData<InfiniteData<InboxPage>>({ queryKey: ['inbox'] });
  for (const [, list] of lists) {
    for (const page of list?.pages ?? []) {
      const found = page.items.find(
        (each) => each.execution === execution && (addressOf(each) === path || each.path === path),
      );
      if (found) return found;
    }
  }
  return undefined;
}

/** Open questions that come with their execution in full; what a link to the others needs, their nodes tell. */
const QUESTIONS = 50;

/** An execution: whole at first, then what changed since. */
export function executionQuery(id: string) {
  const queryKey = ['execution', id];
  const ask = (signal: AbortSignal, after?: number) =>
    get<ExecutionView>(`/api/v1/executions/${segments(id)}`, { after, questions: QUESTIONS }, signal);
  return queryOptions({
    queryKey,
    queryFn: async ({ client, signal }) => {
      const old = client.getQueryData<ExecutionView>(queryKey);
      // Whether what was missing is there again is said only of a whole execution.
      if (!old?.seq || old.damaged) return ask(signal);
      const fresh = await ask(signal, old.seq);
      if (continues(old, fresh)) return merged(old, fresh);
      return fresh.launched === old.launched ? fresh : ask(signal);
    },
    // That an attempt is held, or waits for a worker, changes nothing in the history, so no event tells of it.
    refetchInterval: ({ state }) =>
      state.data?.nodes.some((node) => node.phase === 'QUEUED' && node.attempts > 0) ? LOOK_AGAIN : false,
  });
}

/** A question, whole. It is fetched again only when its own gate has changed, or somebody asks: what an open one shows does not change. */
export function questionQuery(execution: string, path: string) {
  return queryOptions({
    queryKey: ['question', execution, path],
    queryFn: ({ signal }) =>
      get<WaitingView>(`/api/v1/executions/${segments(execution)}/signals/${segments(path)}`, {}, signal),
    staleTime: Infinity,
    // Next time, a name may lead to another question; a handle never does.
    gcTime: nodeOf(path) === undefined ? 0 : KEPT_MS,
  });
}

export function signalsQuery(id: string) {
  return queryOptions({
    queryKey: ['execution', id, 'signals'],
    queryFn: ({ signal }) => get<SignalList>(`/api/v1/executions/${segments(id)}/signals`, {}, signal),
  });
}

/** The key of a request in lists and among drafts: its path may change, its node does not. */
export function entryKey(entry: Pick<WaitingView, 'execution' | 'node'>): string {
  return `${entry.execution}:${entry.node}`;
}

/** The key of what sends the answer of a node. */
export function sendingKey(execution: string, node: string): string[] {
  return ['answer', execution, node];
}

/** What addresses a question and no later one of the same name: its handle, or, inside a graph that unfolded, its full path. */
export function addressOf({ handle, node, name, path }: WaitingView): string {
  const scope = graphOf(node);
  return handle || (scope ? `${scope}/${name}` : path);
}

/** Return the handle of the question of a node. */
export function handleOf(node: string): string {
  const scope = graphOf(node);
  return `${scope}/~.${scope ? node.slice(scope.length + 1) : node}`;
}

/** The node that a handle means: `n2/~.n0` is `n2/n0`; undefined for a name or a path. */
export function nodeOf(handle: string): string | undefined {
  return handle.includes('~.') ? handle.replace(/^\//, '').replace('~.', '') : undefined;
}

/** What names one request for an answer in an address: `<execution>:<path>`. */
export function taskId(view: WaitingView): string {
  return `${view.execution}:${addressOf(view)}`;
}

export function parseTaskId(id: string): { execution: string; path: string } {
  const at = id.indexOf(':');
  return at < 0 ? { execution: id, path: '' } : { execution: id.slice(0, at), path: id.slice(at + 1) };
}
