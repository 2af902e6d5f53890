import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { get } from '../api/client';
import { parseTaskId, signalsQuery } from '../api/queries';
import type { InboxPage, SignalView, WaitingView } from '../api/types';

/** A request for an answer: still `open`, not yet come to (`early`), over (`closed`), or not there at all (`unknown`). */
export type Task =
  | { state: 'loading' }
  | { state: 'failed'; error: Error; retry: () => void }
  | { state: 'unknown'; execution: string; path: string }
  | { state: 'open' | 'early'; view: WaitingView }
  | { state: 'closed'; view: WaitingView; signal: SignalView };

const matches = (path: string) => (each: { path: string; name: string }) => each.path === path || each.name === path;

/** Follow one request; what it asked stays known after it was answered elsewhere. */
export function useTask(id: string): Task {
  const { execution, path } = parseTaskId(id);
  const waiting = useQuery({
    queryKey: ['inbox', 'of', execution],
    queryFn: ({ signal }) => get<InboxPage>('/api/v1/inbox', { execution, limit: 500 }, signal),
  });
  const signals = useQuery(signalsQuery(execution));
  const [seen, setSeen] = useState<{ id: string; view: WaitingView }>();
  const open = waiting.data?.items.find(matches(path));
  useEffect(() => {
    if (open) setSeen({ id, view: open });
  }, [open, id]);

  if (open) return { state: 'open', view: open };
  const error = waiting.error ?? signals.error;
  if (error && 'status' in error && error.status === 404) return { state: 'unknown', execution, path };
  if (error && !waiting.data) return { state: 'failed', error, retry: () => { void waiting.refetch(); void signals.refetch(); } };
  if (!waiting.data || !signals.data) return { state: 'loading' };
  const signal = signals.data.items.find(matches(path));
  if (!signal) return { state: 'unknown', execution, path };
  const view = seen?.id === id ? seen.view : pretend(execution, signal);
  const coming = ['QUEUED', 'RUNNING'].includes(signal.phase) && !signal.answer;
  if (coming && signal.kind === 'input') return { state: 'early', view };
  return { state: 'closed', view, signal };
}

/** What is known of a request that was never seen open. */
function pretend(execution: string, signal: SignalView): WaitingView {
  const { name, path, kind, schema, expects, due } = signal;
  return { execution, workflow: '', name, path, kind, schema, expects, due, opened: '', prompt: '', show: {}, value_schema: {} };
}
