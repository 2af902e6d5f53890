import { Button, Kbd, VisuallyHidden } from '@mantine/core';
import { useRef, useState } from 'react';
import { IconCheck, IconX } from '../app/icons';
import type { Verdict } from './arming';
import { Comment, Restored } from './Comment';
import { readDraft, dropDraft, useKeptDraft } from './draft';
import { IconEnter } from './icons';
import { Layout } from './Layout';
import { Leads } from './Leads';
import type { AnswerProps } from './Question';
import { useArming } from './useArming';

/** Approve or reject, with a comment. */
export function Approval(props: AnswerProps) {
  const { id, view, canType, canDecide, isAway, deciding, frame, top, notes, later, leave, onTyped } = props;
  const [draft, setDraft] = useState(() => readDraft(id));
  const [comment, setComment] = useState(draft?.comment ?? '');
  const [touched, setTouched] = useState(draft !== undefined);
  const field = useRef<HTMLTextAreaElement>(null);
  const kept = useKeptDraft(id, { value: undefined, comment }, touched && canType);
  onTyped({ comment });
  const isReady = canDecide && !deciding.busy && deciding.queued === undefined;
  const { armed, button } = useArming({
    enabled: isReady,
    isSettling: frame.isSettling,
    subject: `${id} ${view.digest}`,
    decide: (verdict) => deciding.decide({ value: verdict === 'approve', comment }),
    leave,
    comment: () => field.current?.focus(),
  });
  return (
    <Layout
      {...frame}
      rail={
        <>
          {top}
          {draft && canType && (
            <Restored
              draft={draft}
              onDiscard={() => {
                dropDraft(id);
                setDraft(undefined);
                setComment('');
                setTouched(false);
              }}
            />
          )}
          <Comment
            field={field}
            value={comment}
            disabled={!canType}
            kept={kept}
            isKeyed
            onChange={(next) => {
              setTouched(true);
              setComment(next);
            }}
          />
          <Leads view={view} />
        </>
      }
      foot={
        <>
          {notes}
          {later}
          <ArmedLine armed={armed} />
          <div className="an-acts" data-armed={armed}>
            {(['approve', 'reject'] as const).map((verdict) => (
              <Decide
                key={verdict}
                verdict={verdict}
                isArmed={armed === verdict}
                isAway={isAway}
                disabled={!isReady}
                loading={deciding.busy && deciding.pressed?.value === (verdict === 'approve')}
                button={button(verdict)}
              />
            ))}
          </div>
        </>
      }
    />
  );
}

const WORDS: Record<Verdict, { name: string; low: string; letter: string; does: string }> = {
  approve: { name: 'Approve', low: 'approve', letter: 'A', does: 'approves' },
  reject: { name: 'Reject', low: 'reject', letter: 'R', does: 'rejects' },
};

const isTouched = () => window.matchMedia('(pointer: coarse)').matches;

/** What one press more would do. */
function ArmedLine({ armed }: { armed: Verdict | undefined }) {
  const by = armed && isTouched() ? 'tap' : 'key';
  return (
    <>
      <VisuallyHidden role="status">
        {armed && `${WORDS[armed].name} is armed. Press Enter to decide, Escape to disarm.`}
      </VisuallyHidden>
      {armed && (
        <p className={`an-armed-line an-armed-${armed}`} aria-hidden>
          {armed === 'approve' ? <IconCheck size={16} /> : <IconX size={16} />}
          <span>
            <b>Armed.</b>{' '}
            {by === 'tap' ? (
              'Tap again to decide.'
            ) : (
              <>
                <Kbd size="xs">Enter</Kbd> {WORDS[armed].does}, <Kbd size="xs">Esc</Kbd> disarms.
              </>
            )}
          </span>
        </p>
      )}
    </>
  );
}

type DecideProps = {
  verdict: Verdict;
  isArmed: boolean;
  isAway: boolean;
  disabled: boolean;
  loading: boolean;
  button: ReturnType<ReturnType<typeof useArming>['button']>;
};

function Decide({ verdict, isArmed, isAway, disabled, loading, button }: DecideProps) {
  const { name, low, letter } = WORDS[verdict];
  const armed = isTouched() ? `Tap again to ${low}` : `${name}: press Enter`;
  return (
    <Button
      {...button}
      className={`an-decide ${verdict}${isArmed ? ' an-armed' : ''}`}
      fullWidth
      disabled={disabled}
      loading={loading}
      leftSection={verdict === 'approve' ? <IconCheck size={16} /> : <IconX size={16} />}
      rightSection={
        <Kbd size="xs" aria-hidden>
          {isArmed ? <IconEnter size={12} /> : letter}
        </Kbd>
      }
    >
      {isArmed ? armed : isAway ? `${name} when it is back` : name}
    </Button>
  );
}
