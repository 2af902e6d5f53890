import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { limitsQuery } from '../../api/limits';
import type { WaitingView } from '../../api/types';
import { decideMany, isWaiting, replaced, type Keys, type Outcome } from './bulk';
import { BulkLook } from './BulkLook';
import { BulkResult } from './BulkResult';
import { SelectionBar } from './SelectionBar';

type Props = {
  views: WaitingView[];
  hidden: number;
  more: WaitingView[];
  isLooking: boolean;
  onLook: (on: boolean) => void;
  onMore: () => void;
  onDrop: (views: readonly WaitingView[]) => void;
  onClear: () => void;
  onOpen: (id: string) => void;
};

type Sent = { value: boolean; comment: string; outcomes: Outcome[] };

/** From what is selected to the look, and from the look to what has become of each. */
export function Bulk({ views, hidden, more, isLooking, onLook, onMore, onDrop, onClear, onOpen }: Props) {
  const queries = useQueryClient();
  const [looked, setLooked] = useState<WaitingView[]>();
  const [progress, setProgress] = useState<number>();
  const [sent, setSent] = useState<Sent>();
  const keys = useRef<Keys>(new Map());
  // What is looked at stays while it is looked at, though it may be decided elsewhere meanwhile: then its result says so.
  if (isLooking && looked === undefined && sent === undefined && views.length > 0) setLooked(views);

  const close = () => {
    setLooked(undefined);
    setSent(undefined);
    onLook(false);
  };
  const send = async (value: boolean, comment: string, chosen: readonly WaitingView[], before: readonly Outcome[]) => {
    setProgress(0);
    const limits = await queries.fetchQuery({ ...limitsQuery, retry: false }).catch(() => undefined); // then the server is away, and sending says so
    const atOnce = limits?.answers ?? chosen.length;
    const now = await decideMany(chosen, { value, comment }, keys.current, atOnce, setProgress);
    const outcomes = before.length > 0 ? replaced(before, now) : now;
    setProgress(undefined);
    setLooked(undefined);
    setSent({ value, comment, outcomes });
    onDrop(outcomes.filter((each) => !isWaiting(each)).map((each) => each.view));
    void queries.invalidateQueries({ queryKey: ['inbox'] });
    void queries.invalidateQueries({ queryKey: ['summary'] });
  };
  return (
    <>
      {!isLooking && (
        <SelectionBar
          views={views}
          hidden={hidden}
          more={more}
          onMore={onMore}
          onLook={() => onLook(true)}
          onClear={onClear}
        />
      )}
      {looked && (
        <BulkLook
          views={looked}
          progress={progress}
          onDecide={(value, comment, chosen) => {
            if (progress !== undefined) return;
            keys.current = new Map();
            void send(value, comment, chosen, []);
          }}
          onClose={close}
        />
      )}
      {sent && (
        <BulkResult
          outcomes={sent.outcomes}
          value={sent.value}
          isSending={progress !== undefined}
          onAgain={(lost) =>
            void send(
              sent.value,
              sent.comment,
              lost.map((each) => each.view),
              sent.outcomes,
            )
          }
          onOpen={(id) => {
            close();
            onOpen(id);
          }}
          onClose={close}
        />
      )}
    </>
  );
}
