/** What the pages ask for, each under a key that begins with its noun, so that a change asks again for what it concerns. */
import { infiniteQueryOptions, queryOptions, type QueryClient } from '@tanstack/react-query';
import { get, segments, type Query } from './client';
import type { Message } from './live';
import type { ExecutionView, InboxPage, SignalList, WaitingView } from './types';

export const PAGE = 100;

export type InboxFilter = { kind?: string; workflow?: string; text?: string };

export function inboxQuery(filter: InboxFilter) {
  return infiniteQueryOptions({
    queryKey: ['inbox', filter],
    queryFn: ({ pageParam, signal }) => get<InboxPage>('/api/v1/inbox', { ...filter, cursor: pageParam, limit: PAGE } as Query, signal),
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

const REGISTERED = new Set(['Registered', 'WorkflowRegistered']);

/** Ask again for what a message from the stream concerns, and for nothing else. */
export function refresh(queries: QueryClient, message: Message): void {
  if ('connected' in message) return;
  if ('everything' in message) {
    void queries.invalidateQueries();
    return;
  }
  void queries.invalidateQueries({ queryKey: ['inbox'] });
  void queries.invalidateQueries({ queryKey: ['executions'] });
  if (message.changes.some((each) => REGISTERED.has(each.kind))) void queries.invalidateQueries({ queryKey: ['workflows'] });
  for (const id of new Set(message.changes.map((each) => each.execution))) {
    void queries.invalidateQueries({ queryKey: ['execution', id] });
  }
}

/** What names one request for an answer in an address: `<execution>:<path>`. */
export function taskId(task: Pick<WaitingView, 'execution' | 'path'>): string {
  return `${task.execution}:${task.path}`;
}

export function parseTaskId(id: string): { execution: string; path: string } {
  const at = id.indexOf(':');
  return at < 0 ? { execution: id, path: '' } : { execution: id.slice(0, at), path: id.slice(at + 1) };
}
