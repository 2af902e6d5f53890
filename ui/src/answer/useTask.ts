import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { ApiError } from '../api/client';
import { graphOf } from '../api/merge';
import { executionQuery, parseTaskId, questionQuery, rowOf, signalsQuery } from '../api/queries';
import type { ExecutionView, NodeView, SignalView, WaitingView } from '../api/types';
import { asksPeople, ENDED } from '../graph/phases';
import { cutParts } from '../show/cut';

/** Why an open question cannot be decided yet. */
export type Hindrance =
  { why: 'loading' } | { why: 'failed'; error: Error; retry: () => void } | { why: 'damaged'; sentence: string };

/** How a question that is over ended. */
export type Ending = Pick<SignalView, 'kind' | 'phase' | 'answer'>;

/** A request for an answer: still `open`, not yet come to (`early`), over (`closed`), or not there at all (`unknown`). */
export type Task =
  | { state: 'loading' }
  | { state: 'failed'; error: Error; retry: () => void }
  | { state: 'unknown'; execution: string; path: string }
  | { state: 'open'; view: WaitingView; hindrance: Hindrance | undefined }
  | { state: 'early'; view: WaitingView }
  | { state: 'closed'; view: WaitingView; ending: Ending };

/** Whether a signal is at a path. The path of one with a unique name is that name. */
const matches = (path: string) => (each: SignalView) =>
  each.path === path || each.name === path || (each.path === each.name && path.endsWith(`/${each.name}`));

/** Follow one request. Its inbox row is shown at once; the whole question is fetched before anything can be decided. */
export function useTask(id: string): Task {
  const { execution, path } = parseTaskId(id);
  const row = useRow(execution, path);
  const question = useQuery(questionQuery(execution, path));
  const running = useQuery(executionQuery(execution));
  const isNotOpen = isRefusal(question.error);
  const signals = useQuery({ ...signalsQuery(execution), enabled: isNotOpen });

  const view = question.data ?? row;
  const node = useMemo(
    () => running.data && gateAt(running.data, view?.node ?? '', path),
    [running.data, view?.node, path],
  );
  const { refetch } = question;
  useEffect(() => {
    if (isNotOpen && node?.phase === 'WAITING') void refetch();
  }, [isNotOpen, node?.phase, refetch]);

  if (view && node && ENDED.has(node.phase)) return { state: 'closed', view, ending: node };
  if (view && (question.data || !isNotOpen))
    return { state: 'open', view, hindrance: hindranceOf(view, running.data, question) };
  if (!question.error) return { state: 'loading' };
  if (!isNotOpen) return { state: 'failed', error: question.error, retry: () => void refetch() };
  if (signals.error)
    return is404(signals.error)
      ? { state: 'unknown', execution, path }
      : { state: 'failed', error: signals.error, retry: () => void signals.refetch() };
  if (!signals.data || running.isPending) return { state: 'loading' };
  const signal = signals.data.items.find(matches(path));
  if (!signal) return { state: 'unknown', execution, path };
  const seen = view ?? pretend(execution, signal, node?.id ?? '');
  if (ENDED.has(signal.phase) || signal.answer) return { state: 'closed', view: seen, ending: signal };
  if (signal.phase === 'WAITING')
    return signal.kind === 'input' ? { state: 'early', view: seen } : { state: 'loading' };
  return signal.kind === 'input' ? { state: 'early', view: seen } : { state: 'closed', view: seen, ending: signal };
}

type Question = { data: WaitingView | undefined; error: Error | null; refetch: () => unknown };

function hindranceOf(view: WaitingView, running: ExecutionView | undefined, question: Question): Hindrance | undefined {
  const sentence = view.damaged || running?.damaged;
  if (sentence) return { why: 'damaged', sentence };
  if (question.data) return undefined;
  if (question.error) return { why: 'failed', error: question.error, retry: () => void question.refetch() };
  return cutParts(view).length > 0 ? { why: 'loading' } : undefined; // a row that is not truncated is the whole question
}

/** The inbox's row of the request when it was opened. */
function useRow(execution: string, path: string): WaitingView | undefined {
  const queries = useQueryClient();
  return useMemo(() => rowOf(queries, execution, path), [queries, execution, path]);
}

/** Whether the server says that the question is not open. An ambiguous name is another matter. */
function isRefusal(error: Error | null): boolean {
  return (
    error instanceof ApiError && (error.status === 404 || error.status === 409) && error.code !== 'ambiguous_signal'
  );
}

function is404(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Return the gate that a path means: by its node where that is known. */
export function gateAt(execution: ExecutionView, node: string, path: string): NodeView | undefined {
  if (node) return execution.nodes.find((each) => each.id === node);
  const named = execution.nodes.filter((each) => asksPeople(each) && each.name === path);
  if (named.length === 1) return named[0];
  return execution.nodes.find(
    (each) => asksPeople(each) && (`${graphOf(each.id)}/${each.name}` === path || each.id === path),
  );
}

/** What is known of a request that was never seen open. */
function pretend(execution: string, signal: SignalView, node: string): WaitingView {
  const { name, path, kind, schema, expects, due } = signal;
  return {
    execution,
    node,
    name,
    path,
    kind,
    schema,
    expects,
    due,
    workflow: '',
    opened: '',
    title: '',
    figures: {},
    may: false,
    who_may: '',
    launched_by: '',
    leads: [],
    phase: signal.phase,
    ended: null,
    answer: signal.answer,
    prompt: '',
    show: {},
    value_schema: {},
    preview: {},
    files: {},
    handle: '',
    form: 0,
    digest: '',
    damaged: '',
  };
}
