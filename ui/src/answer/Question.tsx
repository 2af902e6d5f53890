/** One question from the moment it is shown until somebody has decided it: the evidence, the way to answer, and what became of it. */
import { Alert, Button, Group, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react';
import { entryKey } from '../api/queries';
import { sessionQuery } from '../api/session';
import { useConnection } from '../app/connection';
import { useIsPhone } from '../app/phone';
import { bytes } from '../show/numbers';
import { cutParts, sizeOf } from '../show/cut';
import { Damaged } from '../show/Damaged';
import { Decided } from '../show/whole';
import { Approval } from './Approval';
import { Away } from './Away';
import { useIsSettled } from './Background';
import { useEarlier } from './earlier';
import { Closed } from './Closed';
import type { Draft } from './draft';
import { Due, DueStrip } from './Due';
import { needsRoom } from './evidence';
import { Evidence } from './Evidence';
import { Filling } from './Filling';
import { NotShown, SendLater } from './Foot';
import { Head, type HeadProps } from './Head';
import type { Shape } from './Layout';
import type { Ways } from './Next';
import { Problem } from './Problem';
import { Reader } from './Reader';
import { Result } from './Result';
import { looksOf } from './tabs';
import { useDecision, type Deciding } from './useDecision';
import { useSettling } from './useSettling';
import type { Hindrance, Task } from './useTask';
import type { Asked } from './view';

/** The layout, with what to look at in it. */
export type Frame = { shape: Shape; evidence: ReactNode; isSettling: boolean };

export type AnswerProps = {
  id: string;
  view: Asked;
  deciding: Deciding;
  /** Whether the fields can be edited. */
  canType: boolean;
  /** Whether it can be decided now. */
  canDecide: boolean;
  isAway: boolean;
  frame: Frame;
  /** Above the comment: the due date. */
  top: ReactNode;
  /** Beside the buttons: what is not shown, and why a decision was not taken. */
  notes: ReactNode;
  later: ReactNode;
  /** Put the focus back to where reading starts. */
  leave: () => void;
  /** Told at each change what would be lost. */
  onTyped: (typed: Omit<Draft, 'at'>) => void;
};

/** What can be shown as a question. */
export type Known = Extract<Task, { view: unknown }>;

type Props = {
  task: Known;
  head: Omit<HeadProps, 'view' | 'title'>;
  ways: Ways;
  title: RefObject<HTMLHeadingElement | null>;
};

export function Question({ task, head, ways, title }: Props) {
  const { view, again } = task;
  const id = entryKey(view);
  const me = useQuery(sessionQuery).data?.name ?? '';
  const { since } = useConnection();
  const isAway = since !== undefined;
  const [sendsLater, setSendsLater] = useState(false);
  const typed = useRef<Omit<Draft, 'at'>>(undefined);
  const ending = task.state === 'closed' ? task.ending : undefined;
  const deciding = useDecision({ id, view, ending, me, isAway, sendsLater, again });
  const hindrance = task.state === 'open' ? task.hindrance : undefined;
  const frame = useFrame(task, hindrance !== undefined);
  const leave = useCallback(() => title.current?.focus(), [title]);

  if (deciding.result)
    return <Result view={view} result={deciding.result} ending={ending} me={me} ways={ways} onClose={head.onClose} />;
  const isPending = !frame.isReady;
  return (
    <>
      <Head {...head} view={view} title={title} />
      {isAway && <Away since={since} />}
      {isPending && (
        <Group justify="center" p="xl">
          <Loader aria-label="Loading" />
        </Group>
      )}
      {!isPending && task.state === 'closed' && (
        <Decided>
          <Closed id={id} view={view} ending={task.ending} me={me} typed={typed.current} frame={frame} ways={ways} />
        </Decided>
      )}
      {!isPending && task.state !== 'closed' && (
        <Decided>
          <Answering
            // What was there before all was loaded is another form: nobody has typed into it.
            key={task.state === 'open' && !task.isWhole && hindrance ? 'part' : 'whole'}
            id={id}
            view={view}
            deciding={deciding}
            canType={hindrance === undefined}
            canDecide={hindrance === undefined && !frame.isSettling && (!isAway || sendsLater)}
            isAway={isAway}
            frame={frame}
            top={
              <>
                {frame.isPhone ? null : <Due view={view} />}
                {task.state === 'early' && (
                  <Text size="sm" c="dimmed">
                    The workflow has not reached this yet. An answer is kept until it does.
                  </Text>
                )}
              </>
            }
            notes={
              <>
                {hindrance ? (
                  <Hindered hindrance={hindrance} size={sizeOf(cutParts(view))} />
                ) : (
                  <NotShown unopened={frame.unopened} onOpen={frame.onOpen} />
                )}
                {deciding.error && deciding.faults.length === 0 && (
                  <Problem
                    kind={view.kind}
                    error={deciding.error}
                    pressed={deciding.pressed}
                    isAway={isAway}
                    renew={deciding.renew}
                  />
                )}
              </>
            }
            later={
              isAway && (
                <Waiting deciding={deciding} view={view} sendsLater={sendsLater} setSendsLater={setSendsLater} />
              )
            }
            leave={leave}
            onTyped={(now) => {
              typed.current = now;
            }}
          />
        </Decided>
      )}
    </>
  );
}

function Answering(props: AnswerProps) {
  if (props.view.may === false) return <Reader {...props} />;
  return props.view.kind === 'approve' ? <Approval {...props} /> : <Filling {...props} />;
}

/** An output of more bytes is rarely something short. */
const ROOMY = 1_000;

/** How the dialog is laid out. It is decided once: what arrives later never moves what is there. */
function useFrame(task: Known, isHindered: boolean) {
  const { view } = task;
  const isSettled = useIsSettled(view.background !== null || task.state !== 'open');
  const earlier = useEarlier(view);
  const isPhone = useIsPhone();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<string>();
  const looks = useMemo(() => looksOf(view, earlier), [view, earlier]);
  const hasForm = view.kind !== 'approve';
  const isRoomy =
    cutParts(view).length > 0 ||
    needsRoom(view.value) ||
    Object.values(view.show).some(needsRoom) ||
    view.background?.before.some(({ deck, size }) => deck || size > ROOMY) === true;
  const decided = useRef<Shape>(undefined);
  if (isSettled) decided.current ??= isRoomy ? (hasForm ? 'form' : 'wide') : 'narrow';
  const shape = decided.current ?? 'narrow';
  const isSettling = useSettling(isHindered || !isSettled);
  const onOpen = useCallback((key: string) => {
    setOpened((old) => new Set(old).add(key));
    setAsked(key);
  }, []);
  // The first one is open from the start; on a phone with a form none is a tab.
  const unopened = looks.slice(1).filter(({ key, decided: counts }) => counts && !opened.has(key));
  const isFolded = isPhone && hasForm;
  const isStacked = shape === 'narrow' || isFolded;
  const evidence = (
    <>
      {isPhone && task.state !== 'closed' && <DueStrip view={view} />}
      <Evidence
        view={view}
        looks={looks}
        isStacked={isStacked}
        isFolded={isFolded}
        chosen={asked}
        opened={opened}
        onOpen={onOpen}
      />
    </>
  );
  return {
    shape,
    evidence,
    isSettling,
    isReady: isSettled,
    isPhone,
    unopened: isStacked ? [] : unopened,
    onOpen,
  };
}

type WaitingProps = {
  deciding: Deciding;
  view: Asked;
  sendsLater: boolean;
  setSendsLater: (on: boolean) => void;
};

/** What is sent once the server is back. */
function Waiting({ deciding, view, sendsLater, setSendsLater }: WaitingProps) {
  if (deciding.queued)
    return (
      <Alert variant="light" role="status" className="an-queued" title="This is sent when the server is back">
        <Button size="xs" variant="default" onClick={deciding.takeBack}>
          Take it back
        </Button>
      </Alert>
    );
  return <SendLater view={view} checked={sendsLater} onChange={setSendsLater} />;
}

/** Why the question cannot be answered now. */
function Hindered({ hindrance, size }: { hindrance: Hindrance; size: number }) {
  switch (hindrance.why) {
    case 'ending':
      return null;
    case 'loading':
      return (
        <Alert color="gray" role="status" icon={<Loader size={18} aria-hidden />} title="Loading the whole question">
          You can decide once all {bytes(size)} have loaded.
        </Alert>
      );
    case 'failed':
      return (
        <Alert color="red" role="alert" title="The whole question could not be loaded, so you cannot decide yet">
          <Text size="sm" mb={8}>
            {hindrance.error.message}
          </Text>
          <Button size="xs" variant="default" onClick={hindrance.retry}>
            Try again
          </Button>
        </Alert>
      );
    case 'damaged':
      return <Damaged sentence={hindrance.sentence}>No decision is possible until it is repaired.</Damaged>;
  }
}
