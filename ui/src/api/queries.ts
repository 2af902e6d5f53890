/** What the pages ask for, each under a key that begins with its noun, so that a change asks again for what it concerns. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, segments, type Query } from './client';
import type { ExecutionView, InboxPage, SignalList, WaitingView } from './types';

/** The first page is small, so that it is there at once; who scrolls on wants many. */
const PAGE = 100;
const NEXT_PAGE = 500;

export type InboxFilter = { kind?: string; workflow?: string; text?: string };

export function inboxQuery(filter: InboxFilter) {
  return infiniteQueryOptions({
    queryKey: ['inbox', filter],
    queryFn: ({ pageParam, signal }) => get<InboxPage>('/api/v1/inbox', { ...filter, cursor: pageParam, limit: pageParam ? NEXT_PAGE : PAGE } as Query, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
  });
}

export function executionQuery(id: string) {
  return queryOptions({
    queryKey: ['execution', id],
    queryFn: ({ signal }) => get<ExecutionView>(`/api/v1/executions/${segments(id)}`, {}, signal),
  });
}

export function signalsQuery(id: string) {
  return queryOptions({
    queryKey: ['execution', id, 'signals'],
    queryFn: ({ signal }) => get<SignalList>(`/api/v1/executions/${segments(id)}/signals`, {}, signal),
  });
}

/** What names one request for an answer in an address: `<execution>:<path>`. */
export function taskId(task: Pick<WaitingView, 'execution' | 'path'>): string {
  return `${task.execution}:${task.path}`;
}

export function parseTaskId(id: string): { execution: string; path: string } {
  const at = id.indexOf(':');
  return at < 0 ? { execution: id, path: '' } : { execution: id.slice(0, at), path: id.slice(at + 1) };
}
