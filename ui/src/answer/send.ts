/** Sending answers. */
import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { call, segments } from '../api/client';
import { addressOf, entryKey } from '../api/queries';
import { writeJson, type Json } from '../api/json';
import type { AnswerReply, AnswerResults, InboxPage, WaitingView } from '../api/types';
import { dropDrafts } from './draft';

export type Decision = { value: Json; comment: string };

/** A key, or an id, that nobody else makes. (`randomUUID` is there in secure contexts only.) */
export function freshKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${String(Math.random()).slice(2)}`;
}

/**
 * Send an answer, with the digest of what is shown. A repeat of the same answer has the same key, so that it is never counted twice, and one
 * whose reply was lost can be sent again.
 */
export function useSend(view: WaitingView) {
  const queries = useQueryClient();
  const sent = useRef({ body: '', key: '' });
  return useMutation({
    mutationFn: (decision: Decision) => {
      const told = { ...decision, shown: view.digest };
      const body = writeJson(told);
      if (sent.current.body !== body) sent.current = { body, key: freshKey() };
      return call<AnswerReply>(
        'PUT',
        `/api/v1/executions/${segments(view.execution)}/signals/${segments(addressOf(view))}`,
        told,
        sent.current.key,
      );
    },
    // The stream tells what follows; the row needs no request to go.
    onSuccess: () => takeOut(queries, view),
  });
}

/** Take a question that is decided out of the lists on the page. */
function takeOut(queries: QueryClient, view: WaitingView): void {
  const id = entryKey(view);
  queries.setQueriesData<InfiniteData<InboxPage>>({ queryKey: ['inbox'] }, (old) =>
    old?.pages === undefined
      ? old
      : {
          ...old,
          pages: old.pages.map((page) => ({ ...page, items: page.items.filter((each) => entryKey(each) !== id) })),
        },
  );
}

const AT_ONCE = 500;

/** Send one decision for many requests; the results come in their order. */
export async function sendMany(views: WaitingView[], decision: Decision): Promise<AnswerResults['items']> {
  const found: AnswerResults['items'] = [];
  for (let from = 0; from < views.length; from += AT_ONCE) {
    const answers = views.slice(from, from + AT_ONCE).map((view) => ({
      execution: view.execution,
      signal: addressOf(view),
      ...decision,
      shown: view.digest,
      key: freshKey(),
    }));
    const { items } = await call<AnswerResults>('POST', '/api/v1/inbox/answers', { answers });
    found.push(...items);
    dropDrafts(
      views.slice(from, from + AT_ONCE).flatMap((view, at) => (items[at]?.status === 200 ? entryKey(view) : [])),
    );
  }
  return found;
}
