/** Asking again for what a change concerns, and for nothing else. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { get } from './client';
import type { Message } from './live';
import type { InboxFilter } from './queries';
import type { InboxPage, WaitingView } from './types';

type Inbox = InfiniteData<InboxPage>;

/** Of more executions than this, that have changed at once, a long inbox is fetched anew. */
const FEW = 10;
const MOST_OF_ONE = 500;

export function refresh(queries: QueryClient, message: Message): void {
  if ('connected' in message) return;
  if ('everything' in message) {
    void queries.invalidateQueries();
    return;
  }
  refreshInbox(queries, message.changed);
  void queries.invalidateQueries({ queryKey: ['executions'] });
  for (const id of message.changed) {
    void queries.invalidateQueries({ queryKey: ['inbox', 'of', id] });
    void queries.invalidateQueries({ queryKey: ['execution', id] });
  }
}

const changed = new Set<string>();
let isBusy = false;

/** One refresh at a time: under a stream of changes each would else break off the one before, and none would end. */
function refreshInbox(queries: QueryClient, executions: Iterable<string>): void {
  for (const id of executions) changed.add(id);
  if (isBusy) return;
  isBusy = true;
  const work = async () => {
    while (changed.size > 0) {
      const now = [...changed];
      changed.clear();
      await renew(queries, now).catch(() => undefined); // the connection tells, and asks again when it is back
    }
    isBusy = false;
  };
  void work();
}

/** An inbox of one page is fetched again; in a longer one only what has changed is put in its place. */
async function renew(queries: QueryClient, executions: string[]): Promise<void> {
  const lists = queries.getQueryCache().findAll({ queryKey: ['inbox'] }).filter(({ queryKey }) => queryKey[1] !== 'of');
  const isLong = (data: unknown) => executions.length <= FEW && ((data as Inbox | undefined)?.pages.length ?? 0) > 1;
  const long = lists.filter(({ state }) => isLong(state.data));
  await queries.invalidateQueries({ queryKey: ['inbox'], predicate: (query) => lists.includes(query) && !long.includes(query) });
  if (long.length === 0) return;
  for (const execution of executions) {
    const { items } = await get<InboxPage>('/api/v1/inbox', { execution, limit: MOST_OF_ONE });
    for (const { queryKey } of long) {
      queries.setQueryData<Inbox>(queryKey, (old) => old && placed(old, execution, items.filter(fits(queryKey[1] as InboxFilter))));
    }
  }
}

/** Whether a request is one of those that a filter lets through, as the server judges it. */
const fits = ({ kind, workflow, text = '' }: InboxFilter) => (view: WaitingView): boolean =>
  (!kind || view.kind === kind) && (!workflow || view.workflow === workflow)
  && [view.name, view.workflow, view.execution].some((each) => each.toLowerCase().includes(text.toLowerCase()));

function placed(inbox: Inbox, execution: string, items: WaitingView[]): Inbox {
  const pages = inbox.pages.map((page) => ({ ...page, items: page.items.filter((each) => each.execution !== execution) }));
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
