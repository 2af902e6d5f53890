/** Sending answers. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { call, segments } from '../api/client';
import { addressOf } from '../api/queries';
import type { Json } from '../api/json';
import type { AnswerReply, AnswerResults, WaitingView } from '../api/types';

export type Decision = { value: Json; comment: string };

/** A key, or an id, that nobody else makes. (`randomUUID` is there in secure contexts only.) */
export function freshKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${String(Math.random()).slice(2)}`;
}

/** Send an answer, with the digest of what is shown. A repeat of the same answer has the same key, so that it is never counted twice. */
export function useSend(view: WaitingView) {
  const queries = useQueryClient();
  const sent = useRef({ body: '', key: '' });
  return useMutation({
    mutationFn: (decision: Decision) => {
      const told = { ...decision, shown: view.digest };
      const body = JSON.stringify(told);
      if (sent.current.body !== body) sent.current = { body, key: freshKey() };
      return call<AnswerReply>(
        'PUT',
        `/api/v1/executions/${segments(view.execution)}/signals/${segments(addressOf(view))}`,
        told,
        sent.current.key,
      );
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['inbox'] });
      void queries.invalidateQueries({ queryKey: ['execution', view.execution] });
    },
  });
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
    found.push(...(await call<AnswerResults>('POST', '/api/v1/inbox/answers', { answers })).items);
  }
  return found;
}
