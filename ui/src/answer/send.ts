/** Sending answers. */
import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { call, segments } from '../api/client';
import { addressOf, entryKey, sendingKey } from '../api/queries';
import { writeJson, type Json } from '../api/json';
import type { AnswerReply, InboxPage, WaitingView } from '../api/types';

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
    mutationKey: sendingKey(view.execution, view.node),
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
    // What the stream told meanwhile was not fetched.
    onError: () =>
      queries.invalidateQueries({
        queryKey: ['question', view.execution],
        predicate: ({ state }) => state.isInvalidated,
      }),
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
