/** One decision on its way: pressed, perhaps waiting for the server to come back, sent, and what became of it. */
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import type { AnswerReply, FaultDocument } from '../api/types';
import { same } from '../form/check';
import { dropDraft } from './draft';
import { useSend, type Decision } from './send';
import type { Ending } from './useTask';
import type { Asked } from './view';

/** Refusals that say that somebody, or something, was faster. */
const LOST = new Set(['already_answered', 'timed_out', 'execution_ended', 'withdrawn']);

/** `leads` are those of the question then: one that is decided has none. */
export type Pressed = Decision & { at: Date; leads: Asked['leads'] };

export type Result = { how: 'mine'; pressed: Pressed; at: Date } | { how: 'lost'; pressed: Pressed; error: ApiError };

export type Deciding = {
  busy: boolean;
  error: Error | null;
  faults: FaultDocument[];
  /** What was pressed last, sent or not. */
  pressed: Pressed | undefined;
  result: Result | undefined;
  /** What waits for the server to come back. */
  queued: Pressed | undefined;
  decide: (decision: Decision) => void;
  takeBack: () => void;
  /** Forget the refusal, and have the question again. */
  renew: () => void;
};

type Options = {
  id: string;
  view: Asked;
  /** How it ended, if it did. */
  ending: Ending | undefined;
  me: string;
  isAway: boolean;
  /** Whether what is pressed while the server is away is sent once it is back. */
  sendsLater: boolean;
  again: () => void;
};

export function useDecision({ id, view, ending, me, isAway, sendsLater, again }: Options): Deciding {
  const sending = useSend(view);
  const [pressed, setPressed] = useState<Pressed>();
  const [queued, setQueued] = useState<Pressed>();
  const [result, setResult] = useState<Result>();
  const [faults, setFaults] = useState<FaultDocument[]>([]);
  // Two events of one frame must not send twice.
  const isSending = useRef(false);

  const send = (what: Pressed) => {
    if (isSending.current || result) return;
    isSending.current = true;
    setFaults([]);
    sending.mutate(
      { value: what.value, comment: what.comment },
      {
        onSuccess: (reply: AnswerReply) => {
          dropDraft(id);
          setResult({ how: 'mine', pressed: what, at: new Date(reply.at) });
        },
        onError: (error) => {
          if (!(error instanceof ApiError)) return;
          setFaults(error.faults);
          if (!LOST.has(error.code)) return;
          setResult({ how: 'lost', pressed: what, error });
          again();
        },
        onSettled: () => {
          isSending.current = false;
        },
      },
    );
  };

  const release = useRef(send);
  release.current = send;
  useEffect(() => {
    if (isAway || !queued) return;
    setQueued(undefined);
    release.current(queued);
  }, [isAway, queued]);

  // A reply that got lost: whether the decision arrived is told by how the question ended.
  const answer = ending?.answer;
  const gotLost = sending.error instanceof ApiError && sending.error.isUnreachable;
  useEffect(() => {
    if (!gotLost || !answer || !pressed || result) return;
    const isMine = answer.who === me && same(answer.value, pressed.value) && answer.comment === pressed.comment;
    if (isMine) dropDraft(id);
    setResult(
      isMine
        ? { how: 'mine', pressed, at: new Date(answer.at) }
        : { how: 'lost', pressed, error: new ApiError(409, '', { code: 'already_answered' }) },
    );
  }, [gotLost, answer, pressed, result, me, id]);

  return {
    busy: sending.isPending,
    error: sending.error,
    faults,
    pressed,
    result,
    queued,
    decide: (decision) => {
      if (isSending.current || result) return;
      const what = { ...decision, at: new Date(), leads: view.leads };
      setPressed(what);
      if (!isAway) send(what);
      else if (sendsLater) setQueued(what);
    },
    takeBack: () => setQueued(undefined),
    renew: () => {
      sending.reset();
      again();
    },
  };
}
