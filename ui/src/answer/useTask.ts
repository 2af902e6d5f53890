import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiError } from '../api/client';
import { nodeOf, parseTaskId, questionQuery, rowOf, signalsQuery } from '../api/queries';
import type { SignalView, WaitingView } from '../api/types';
import { ENDED } from '../graph/phases';
import { cutParts } from '../show/cut';
import type { Asked } from './view';

/** Why an open question cannot be decided yet. */
export type Hindrance =
  | { why: 'loading' | 'ending' }
  | { why: 'failed'; error: Error; retry: () => void }
  | { why: 'damaged'; sentence: string };

/** How a question that is over ended; `sentence` is what the server says of one of which no more is known. */
export type Ending = Pick<SignalView, 'kind' | 'phase' | 'answer'> & { sentence?: string };

/** A question: still `open`, not yet come to (`early`), over (`closed`), one of `several`, or not there at all (`unknown`). */
export type Task =
  | { state: 'loading' }
  | { state: 'failed'; error: Error; retry: () => void }
  | { state: 'unknown'; execution: string; path: string }
  | { state: 'several'; execution: string; name: string; paths: string[] }
  | { state: 'open'; view: Asked; isWhole: boolean; hindrance: Hindrance | undefined; again: () => void }
  | { state: 'early'; view: Asked; again: () => void }
  | { state: 'closed'; view: Asked; ending: Ending; again: () => void };

/** Whether a signal is at an address: its handle, its path, or its name if that is unique. */
const matches = (path: string) => (each: SignalView) =>
  each.handle === path ||
  each.path === path ||
  each.name === path ||
  (each.path === each.name && path.endsWith(`/${each.name}`));

/**
 * Follow one question. Its inbox row is shown at once; the whole question is fetched before anything can be decided. It is asked for again
 * only when its own gate has changed (`api/refresh`), so what is shown never turns into another question.
 */
export function useTask(id: string): Task {
  const { execution, path } = parseTaskId(id);
  const row = useRow(execution, path);
  const question = useQuery(questionQuery(execution, path));
  const isNotOpen = isRefusal(question.error);
  const signals = useQuery({ ...signalsQuery(execution), enabled: isNotOpen });

  const isWhole = question.data !== undefined;
  const again = () => void question.refetch();
  const view: Asked | undefined = question.data ?? row;
  const ended = question.error ? undefined : endingOf(question.data);
  if (view && ended) return { state: 'closed', view, ending: ended, again };
  if (view && !isNotOpen) return { state: 'open', view, isWhole, hindrance: hindranceOf(view, question), again };
  if (!question.error) return { state: 'loading' };
  const several = severalOf(question.error);
  if (several) return { state: 'several', execution, name: path, paths: several };
  if (!isNotOpen) return { state: 'failed', error: question.error, retry: again };
  if (signals.error)
    return is404(signals.error)
      ? { state: 'unknown', execution, path }
      : { state: 'failed', error: signals.error, retry: () => void signals.refetch() };
  if (!signals.data)
    return view ? { state: 'open', view, isWhole, hindrance: { why: 'ending' }, again } : { state: 'loading' };
  const signal = signals.data.items.find(matches(view?.handle || path));
  if (!signal) {
    // Its round of a loop is over: it is no longer among the signals.
    if (view === undefined || is404(question.error)) return { state: 'unknown', execution, path };
    const ending = { kind: view.kind, phase: '', answer: null, ...said(question.error) };
    return { state: 'closed', view, ending, again };
  }
  const seen = view ?? pretend(execution, signal);
  if (ENDED.has(signal.phase) || signal.answer) return { state: 'closed', view: seen, ending: signal, again };
  if (signal.kind === 'input') return { state: 'early', view: seen, again };
  return { state: 'closed', view: seen, ending: signal, again };
}

type Question = { data: WaitingView | undefined; error: Error | null; refetch: () => unknown };

function hindranceOf(view: WaitingView, question: Question): Hindrance | undefined {
  if (view.damaged) return { why: 'damaged', sentence: view.damaged };
  if (question.data) return undefined;
  if (question.error) return { why: 'failed', error: question.error, retry: () => void question.refetch() };
  return cutParts(view).length > 0 ? { why: 'loading' } : undefined; // a row that is not truncated is the whole question
}

/** How a question ended, if the server tells it as a record. */
function endingOf(view: Asked | undefined): Ending | undefined {
  if (view === undefined || !ENDED.has(view.phase)) return undefined;
  return { kind: view.kind, phase: view.phase, answer: view.answer };
}

/** The inbox's row of the question when it was opened. */
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

/** What the server says of a question that is over. One that was open is not about to open. */
function said(error: Error): { sentence?: string } {
  return error instanceof ApiError && error.code === 'not_waiting_yet' ? {} : { sentence: error.message };
}

/** The addresses that a name may mean, if it may mean several. */
function severalOf(error: Error): string[] | undefined {
  if (!(error instanceof ApiError) || error.code !== 'ambiguous_signal') return undefined;
  return Array.isArray(error.facts.paths) ? error.facts.paths.map(String) : [];
}

function is404(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** What is known of a question that was never seen open. */
function pretend(execution: string, signal: SignalView): WaitingView {
  const { name, path, kind, schema, expects, due, handle } = signal;
  return {
    execution,
    node: nodeOf(handle) ?? '',
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
    may: true, // the server has the last word
    who_may: '',
    launched_by: '',
    leads: [],
    background: null,
    phase: signal.phase,
    ended: null,
    answer: signal.answer,
    prompt: '',
    show: {},
    value_schema: {},
    preview: {},
    files: {},
    handle,
    form: 0,
    digest: '',
    damaged: '',
  };
}
