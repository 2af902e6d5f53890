/** Asking again for what a change concerns, and for nothing else. */
import type { InfiniteData, Query, QueryClient } from '@tanstack/react-query';
import { dropDrafts } from '../answer/draft';
import { addArrivals, dropArrivals, heldBy } from './arrivals';
import { get } from './client';
import { collect, type Message, type Phases } from './live';
import { entryKey, listKey, nodeOf, sendingKey, type InboxFilter } from './queries';
import { noticeChange } from './shared';
import type { ExecutionView, InboxPage } from './types';

type Inbox = InfiniteData<InboxPage>;
const INBOX = { queryKey: ['inbox'] };
const SUMMARY = { queryKey: ['summary'] };

/** Marks queries that depend on which workflows are registered: registering is not an event of an execution, so the stream does not announce it. */
export const REGISTERED = { registered: true };

/** Fetch everything again, in whole: a server that was gone may be back with another store, or with an older copy. */
export function refreshAll(queries: QueryClient): void {
  queries.setQueriesData<ExecutionView>(
    { queryKey: ['execution'], predicate: ({ queryKey }) => queryKey.length === 2 },
    (old) => old && { ...old, seq: 0 },
  );
  void queries.resetQueries({
    queryKey: ['execution'],
    predicate: ({ queryKey }) => queryKey[2] === 'history' || queryKey[2] === 'logs',
  });
  void queries.invalidateQueries();
}

/** Fetch again what the stream does not announce. */
export function refreshRegistered(queries: QueryClient): void {
  void queries.invalidateQueries({ predicate: ({ meta }) => meta === REGISTERED });
}

/** If more executions than this have changed at once, what is new is not counted one by one. */
const FEW = 10;
const MOST_OF_ONE = 100;

export function refresh(queries: QueryClient, message: Message): void {
  if ('connected' in message || 'script' in message) return;
  noticeChange(message.at);
  if ('everything' in message) {
    // What an open question shows does not change.
    void queries.invalidateQueries({
      predicate: ({ queryKey, state }) => queryKey[0] !== 'question' || state.status === 'error',
    });
    return;
  }
  refreshInbox(queries, message.changed);
  void queries.invalidateQueries({ queryKey: ['executions'] });
  for (const [id, phases] of Object.entries(message.changed)) {
    void queries.invalidateQueries({ queryKey: ['execution', id] });
    for (const refetchType of ['active', 'none'] as const)
      void queries.invalidateQueries({
        queryKey: ['question', id],
        predicate: ({ queryKey }) =>
          concerns(phases, String(queryKey[2])) &&
          isDecidedHere(queries, id, String(queryKey[2])) === (refetchType === 'none'),
        refetchType,
      });
    dropDrafts(
      Object.entries(phases).flatMap(([node, phase]) => (OVER.has(phase) ? entryKey({ execution: id, node }) : [])),
    );
  }
}

type Gone = (keys: (key: string) => boolean) => void;
const gone = new Set<Gone>();

/** Be told which questions do not wait any longer. Returns what ends that. */
export function onGone(listener: Gone): () => void {
  gone.add(listener);
  return () => gone.delete(listener);
}

/** Phases of a gate that nobody can answer any longer. */
const OVER = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'SKIPPED']);

/** Whether a change may be one of the gate at an address. */
function concerns(phases: Phases, address: string): boolean {
  const node = nodeOf(address);
  return node === undefined || node in phases || '' in phases;
}

/** Whether the change of a gate is what this tab decides: the reply says what became of it. */
function isDecidedHere(queries: QueryClient, execution: string, address: string): boolean {
  const node = nodeOf(address);
  if (node === undefined) return false;
  const sent = queries.getMutationCache().findAll({ mutationKey: sendingKey(execution, node) });
  return sent.some(({ state }) => state.status === 'pending' || state.status === 'success');
}

let pending: Record<string, Phases> = {};
let isBusy = false;

/** One refresh at a time: under a stream of changes each would else break off the one before, and none would end. */
function refreshInbox(queries: QueryClient, changed: Record<string, Phases>): void {
  removeGone(queries, changed);
  for (const [execution, phases] of Object.entries(changed)) collect(pending, execution, phases);
  if (isBusy) return;
  isBusy = true;
  const work = async () => {
    while (Object.keys(pending).length > 0) {
      const now = pending;
      pending = {};
      const isShown = queries.getQueryCache().findAll({ ...SUMMARY, type: 'active' }).length > 0;
      if (isShown) await queries.invalidateQueries(SUMMARY);
      const asking = Object.keys(now).filter((id) => Object.values(now[id] ?? {}).includes('WAITING'));
      if (asking.length > 0) await renew(queries, asking).catch(() => undefined); // the connection tells, and asks again when it is back
    }
    isBusy = false;
  };
  void work();
}

/** Take those rows out of the lists whose nodes wait no longer: that needs no request. */
function removeGone(queries: QueryClient, changed: Record<string, Phases>): void {
  const over = new Set<string>();
  for (const [execution, phases] of Object.entries(changed)) {
    for (const [node, phase] of Object.entries(phases)) {
      if (node !== '' && phase !== 'WAITING') over.add(entryKey({ execution, node }));
    }
  }
  if (over.size === 0) return;
  const isOver = (key: string) => over.has(key);
  gone.forEach((each) => each(isOver));
  for (const query of lists(queries)) {
    dropArrivals(listKey(query.queryKey), isOver);
    const isHit = query.state.data?.pages.some((page) => page.items.some((each) => isOver(entryKey(each))));
    // An answer that is under way may be from before.
    if (query.state.fetchStatus === 'fetching') void queries.invalidateQueries({ queryKey: query.queryKey });
    else if (isHit) queries.setQueryData<Inbox>(query.queryKey, (old) => old && without(old, isOver));
  }
}

function lists(queries: QueryClient): Query<Inbox>[] {
  return queries.getQueryCache().findAll(INBOX) as unknown as Query<Inbox>[];
}

export function without(inbox: Inbox, isOver: (key: string) => boolean): Inbox {
  const pages = inbox.pages.map((page) => ({
    ...page,
    items: page.items.filter((each) => !isOver(entryKey(each))),
  }));
  return { ...inbox, pages };
}

/** A list that may move is fetched from its beginning; of one that must not, what is new is counted. */
async function renew(queries: QueryClient, executions: string[]): Promise<void> {
  for (const query of lists(queries)) {
    if (query.getObserversCount() === 0) {
      void queries.invalidateQueries({ queryKey: query.queryKey, refetchType: 'none' });
    } else if (heldBy() === 'free') {
      await showNew(queries, query.queryKey);
    } else if (heldBy() === 'covered') {
      // Nobody reads a number behind a dialog; once it is closed, the list is fetched.
      addArrivals(listKey(query.queryKey), [], true);
    } else {
      await countNew(query, executions);
    }
  }
}

/** Fetch the beginning of a list again, with all that is new; what was scrolled to is fetched again when somebody scrolls there. */
export async function showNew(queries: QueryClient, queryKey: readonly unknown[]): Promise<void> {
  queries.setQueryData<Inbox>(
    queryKey,
    (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) },
  );
  dropArrivals(listKey(queryKey));
  await queries.invalidateQueries({ queryKey });
}

async function countNew(query: Query<Inbox>, executions: string[]): Promise<void> {
  const filter = query.queryKey[1] as InboxFilter;
  const list = listKey(query.queryKey);
  if (executions.length > FEW) {
    addArrivals(list, [], true);
    return;
  }
  const shown = new Set(query.state.data?.pages.flatMap((page) => page.items.map(entryKey)) ?? []);
  // Beyond the last page that was fetched, a question that comes is new to nobody: it is found by scrolling.
  const isWhole = query.state.data?.pages.at(-1)?.next === '';
  for (const execution of executions) {
    const page = await get<InboxPage>('/api/v1/inbox', { ...filter, execution, limit: MOST_OF_ONE });
    const since = page.items.filter((each) => !shown.has(entryKey(each)));
    const recent = isWhole ? since : since.filter((each) => Date.parse(each.opened) >= query.state.dataUpdatedAt);
    addArrivals(list, recent, page.next !== '' && recent.length > 0);
  }
}
