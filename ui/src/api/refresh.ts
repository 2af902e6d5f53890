/** Asking again for what a change concerns, and for nothing else. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { get } from './client';
import { collect, type Message, type Phases } from './live';
import { entryKey, type InboxFilter } from './queries';
import type { ExecutionView, InboxPage, WaitingView } from './types';

type Inbox = InfiniteData<InboxPage>;
const INBOX = { queryKey: ['inbox'] };

/** Marks queries that depend on which workflows are registered: registering is not an event of an execution, so the stream does not announce it. */
export const REGISTERED = { registered: true };

/** Fetch everything again, in whole: a server that was gone may be back with another store, or with an older copy. */
export function refreshAll(queries: QueryClient): void {
  queries.setQueriesData<ExecutionView>(
    { queryKey: ['execution'], predicate: ({ queryKey }) => queryKey.length === 2 },
    (old) => old && { ...old, seq: 0 },
  );
  void queries.resetQueries({ queryKey: ['execution'], predicate: ({ queryKey }) => queryKey[2] === 'history' });
  void queries.invalidateQueries();
}

/** Fetch again what the stream does not announce. */
export function refreshRegistered(queries: QueryClient): void {
  void queries.invalidateQueries({ predicate: ({ meta }) => meta === REGISTERED });
}

/** If more executions than this have changed at once, a long inbox is fetched again. */
const FEW = 10;
const MOST_OF_ONE = 500;

export function refresh(queries: QueryClient, message: Message): void {
  if ('connected' in message || 'script' in message) return;
  if ('everything' in message) {
    // What an open question shows does not change.
    void queries.invalidateQueries({
      predicate: ({ queryKey, state }) => queryKey[0] !== 'question' || state.status === 'error',
    });
    return;
  }
  refreshInbox(queries, message.changed);
  void queries.invalidateQueries({ queryKey: ['executions'] });
  for (const id of Object.keys(message.changed)) {
    void queries.invalidateQueries({ queryKey: ['execution', id] });
  }
}

let pending: Record<string, Phases> = {};
let isBusy = false;

/** One refresh at a time: under a stream of changes each would else break off the one before, and none would end. */
function refreshInbox(queries: QueryClient, changed: Record<string, Phases>): void {
  for (const [execution, phases] of Object.entries(changed)) collect(pending, execution, phases);
  if (isBusy) return;
  isBusy = true;
  const work = async () => {
    while (Object.keys(pending).length > 0) {
      const now = asking(queries, pending);
      pending = {};
      if (now.length > 0) await renew(queries, now).catch(() => undefined); // the connection tells, and asks again when it is back
    }
    isBusy = false;
  };
  void work();
}

/** Return the executions whose changes can alter an inbox: a node began to wait, or one that an inbox shows has changed. */
function asking(queries: QueryClient, changed: Record<string, Phases>): string[] {
  if (queries.isFetching(INBOX) > 0) return Object.keys(changed); // what has just ended may still be in the answer
  const shown = new Set(
    queries
      .getQueriesData<Inbox>(INBOX)
      .flatMap(([, list]) => list?.pages.flatMap((page) => page.items.map(entryKey)) ?? []),
  );
  return Object.keys(changed).filter((execution) =>
    Object.entries(changed[execution] ?? {}).some(
      ([node, phase]) => phase === 'WAITING' || shown.has(entryKey({ execution, node })),
    ),
  );
}

/** An inbox of one page is fetched again; in a longer one only what has changed is put in its place. */
async function renew(queries: QueryClient, executions: string[]): Promise<void> {
  const lists = queries.getQueryCache().findAll(INBOX);
  const isLong = (data: unknown) => executions.length <= FEW && ((data as Inbox | undefined)?.pages.length ?? 0) > 1;
  const long = lists.filter(({ state }) => isLong(state.data));
  await queries.invalidateQueries({ ...INBOX, predicate: (query) => lists.includes(query) && !long.includes(query) });
  if (long.length === 0) return;
  for (const execution of executions) {
    const { items } = await get<InboxPage>('/api/v1/inbox', { execution, limit: MOST_OF_ONE });
    for (const { queryKey } of long) {
      queries.setQueryData<Inbox>(
        queryKey,
        (old) => old && placed(old, execution, items.filter(fits(queryKey[1] as InboxFilter))),
      );
    }
  }
}

/** Whether a request is one of those that a filter lets through, as the server judges it. */
const fits =
  ({ kind, workflow, text = '' }: InboxFilter) =>
  (view: WaitingView): boolean =>
    (!kind || view.kind === kind) &&
    (!workflow || view.workflow === workflow) &&
    [view.name, view.title, view.workflow, view.execution].some((each) =>
      each.toLowerCase().includes(text.toLowerCase()),
    );

function placed(inbox: Inbox, execution: string, items: WaitingView[]): Inbox {
  const pages = inbox.pages.map((page) => ({
    ...page,
    items: page.items.filter((each) => each.execution !== execution),
  }));
  for (const item of items) {
    const page = pages.find((each) => each.next === '' || isBefore(item, each.items.at(-1)));
    if (!page) continue; // it comes with a page that was not asked for yet
    const at = page.items.findIndex((each) => isBefore(item, each));
    page.items.splice(at < 0 ? page.items.length : at, 0, item);
  }
  return { ...inbox, pages };
}

/** The order of the inbox: the soonest due first, and then the one that was asked first. */
function isBefore(one: WaitingView, other: WaitingView | undefined): boolean {
  if (!other) return false;
  const due = (view: WaitingView) => (view.due === null ? Infinity : Date.parse(view.due));
  return due(one) === due(other) ? Date.parse(one.opened) < Date.parse(other.opened) : due(one) < due(other);
}
