/** The question, what is needed to decide it, and the way to answer. */
import { Alert, Button, Loader, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import { isObject, type Json } from '../api/json';
import { entryKey } from '../api/queries';
import type { FaultDocument, WaitingView } from '../api/types';
import { useConnection } from '../app/connection';
import { spellPath } from '../form/check';
import { bytes } from '../show/brief';
import { cutParts, sizeOf, type Cut } from '../show/cut';
import { isTall } from '../show/tall';
import { clock, exact, span, TimeLeft } from '../show/time';
import type { Typed } from '../show/typed';
import { brief, Value } from '../show/Value';
import { Decided, useCut, useEverything } from '../show/whole';
import { Damaged } from '../show/Damaged';
import { Approval } from './Approval';
import { Beside, Given, useBackground } from './Background';
import { dropDraft } from './draft';
import { Choosing, quickChoices } from './Choosing';
import { Filling } from './Filling';
import { useSend, type Decision } from './send';
import { useSettling } from './useSettling';
import type { Hindrance } from './useTask';

const Prose = lazy(() => import('../show/Prose').then((module) => ({ default: module.Prose })));

export type AnswerProps = {
  id: string;
  view: WaitingView;
  /** Whether it can be answered now. */
  open: boolean;
  /** Whether keys decide. */
  live: boolean;
  busy: boolean;
  faults: FaultDocument[];
  send: (decision: Decision, what: string) => void;
};

/** Characters shown of a value while the whole is loading. */
const BEGINNING = 300;

/** Where what the question is about has room beside it. */
const WIDE = '(min-width: 75em)';

type Props = {
  view: WaitingView;
  state: 'open' | 'early' | 'closed';
  hindrance: Hindrance | undefined;
  follows: boolean;
  onSent: (what: string) => void;
};

export function Question({ view, state, hindrance, follows, onSent }: Props) {
  const id = entryKey(view);
  const sending = useSend(view);
  const { since } = useConnection();
  const [faults, setFaults] = useState<FaultDocument[]>([]);
  const top = useRef<HTMLDivElement>(null);
  const settling = useSettling(hindrance !== undefined);
  const [wasHindered] = useState(hindrance !== undefined);
  const hasForm = view.kind !== 'approve' && quickChoices(view).length === 0;
  useEffect(() => {
    if (!hasForm) top.current?.focus();
  }, [hasForm]);

  const send = (decision: Decision, what: string) => {
    if (sending.isPending) return;
    setFaults([]);
    sending.mutate(decision, {
      onSuccess: () => {
        dropDraft(id);
        onSent(what);
      },
      onError: (error) => setFaults(error instanceof ApiError ? error.faults : []),
    });
  };
  const props: AnswerProps = {
    id,
    view,
    open: state !== 'closed' && since === undefined && hindrance === undefined,
    live: !((follows || wasHindered) && settling),
    busy: sending.isPending,
    faults,
    send,
  };
  const shown = Object.entries(view.show);
  const cut = cutParts(view);
  const background = useBackground(view);
  const isWide = useMediaQuery(WIDE, false, { getInitialValueInEffect: false });
  const beside = background.nodes.length > 0 && (
    <Beside execution={view.execution} nodes={background.nodes} isAbove={hasForm && !isWide} />
  );
  return (
    <div className={isWide && beside ? 'columns' : undefined}>
      <Stack gap="md" className={settling ? 'settling' : 'settled'}>
        <div ref={top} tabIndex={-1} data-autofocus={hasForm ? undefined : true} className="question">
          {view.prompt && (
            <Suspense fallback={<Text>{view.prompt}</Text>}>
              <Prose text={view.prompt} />
            </Suspense>
          )}
          {state === 'early' && (
            <Text c="dimmed">The workflow has not reached this yet. An answer is kept until it does.</Text>
          )}
          {state === 'open' && <Deadline view={view} />}
        </div>
        {state !== 'closed' && hindrance && <Hindered hindrance={hindrance} size={sizeOf(cut)} />}
        <Decided>
          {view.value !== undefined && (
            <section aria-label="What to approve" className="subject">
              <Value value={view.value} type={typed(view.value_schema)} />
            </section>
          )}
          {shown.map(([name, value]) => (
            <Shown key={name} name={name} value={value} isFolded={hasForm && isTall(value)} />
          ))}
        </Decided>
        {cut.map((each) => (
          <Beginning key={each.part} cut={each} />
        ))}
        {!isWide && beside}
        <Given inputs={background.inputs} />
        {sending.error && !(hasForm && faults.length > 0) && <Refusal error={sending.error} />}
        <Answering key={hindrance ? 'hindered' : 'free'} {...props} />
      </Stack>
      {isWide && beside}
    </div>
  );
}

/** What stands beside the question; where the form would be out of sight below it, it is a click away. */
function Shown({ name, value, isFolded }: { name: string; value: Json; isFolded: boolean }) {
  const subject = (
    <div className="subject">
      <Value value={value} />
    </div>
  );
  const everything = useEverything();
  const [opened, setOpened] = useState(false);
  const isOpen = opened || everything;
  useCut(isFolded && !isOpen);
  if (isFolded)
    return (
      <details open={isOpen} onToggle={(event) => setOpened(event.currentTarget.open)}>
        <summary>{name}</summary>
        {isOpen && subject}
      </details>
    );
  return (
    <section aria-label={name}>
      <Text size="sm" fw={600} mb={4}>
        {name}
      </Text>
      {subject}
    </section>
  );
}

/** The beginning of a value, until the whole has loaded. */
function Beginning({ cut }: { cut: Cut }) {
  const { label, text, size } = cut;
  return (
    <section aria-label={label || 'What to approve'}>
      {label && (
        <Text size="sm" fw={600} mb={4}>
          {label}
        </Text>
      )}
      <div className="subject text">{text.slice(0, BEGINNING)}…</div>
      <Text size="sm" c="dimmed">
        Only the beginning is shown; the whole is {bytes(size)}.
      </Text>
    </section>
  );
}

/** Why the question cannot be answered now. */
function Hindered({ hindrance, size }: { hindrance: Hindrance; size: number }) {
  switch (hindrance.why) {
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

function typed(schema: Json): Typed | undefined {
  return isObject(schema) ? { schema, root: schema } : undefined;
}

function Answering(props: AnswerProps) {
  if (props.view.kind === 'approve') return <Approval {...props} />;
  return quickChoices(props.view).length > 0 ? <Choosing {...props} /> : <Filling {...props} />;
}

function Deadline({ view }: { view: WaitingView }) {
  if (view.due === null)
    return (
      <Text size="sm" c="dimmed">
        This waits indefinitely.
      </Text>
    );
  const then =
    view.on_timeout === undefined
      ? 'the request fails, and the workflow with it'
      : `this is used as the answer: ${view.kind === 'approve' ? (view.on_timeout === true ? 'approved' : 'rejected') : brief(view.on_timeout)}`;
  return (
    <Text size="sm">
      <TimeLeft due={view.due} />
      <span className="dim">
        , until {exact(new Date(view.due))}; then {then}.
      </span>
    </Text>
  );
}

function Refusal({ error }: { error: Error }) {
  const known = error instanceof ApiError ? error : undefined;
  if (known?.code === 'already_answered') {
    const at = isObject(known.facts) && typeof known.facts.at === 'string' ? new Date(known.facts.at) : undefined;
    const who = typeof known.facts.who === 'string' ? known.facts.who : 'somebody else';
    return (
      <Alert
        color="orange"
        role="alert"
        title={`Already answered by ${who}${at ? `, ${span(Date.now() - at.getTime())} ago (${clock(at)})` : ''}`}
      >
        Your answer was not accepted.
      </Alert>
    );
  }
  if (known?.code === 'changed')
    return (
      <Alert color="orange" role="alert" title="This has changed since it was shown">
        Your answer was not accepted: {changedIn(known)}. Review it again before you decide.
      </Alert>
    );
  if (known?.status === 422)
    return (
      <Alert color="red" role="alert" title="Invalid answer">
        {known.faults.length > 0
          ? known.faults.map((each) => (
              <div key={each.reason + each.path.join('.')}>
                {each.path.length > 0 && <b>{spellPath(each.path)}: </b>}
                {each.reason}
              </div>
            ))
          : known.message}
      </Alert>
    );
  return (
    <Alert color="red" role="alert" title="Not sent. Your input is kept.">
      {error.message}
    </Alert>
  );
}

/** Say what is different. */
function changedIn({ facts }: ApiError): string {
  const parts = Array.isArray(facts.changed) ? facts.changed.map(String) : [];
  return parts.includes('handle') ? 'it is a different question' : `${parts.join(', ')} changed`;
}
