import { Button, Kbd, Text } from '@mantine/core';
import { useEffect, useId, useRef, useState } from 'react';
import { call, segments } from '../api/client';
import { isObject, type Json } from '../api/json';
import { announce } from '../app/announce';
import { addressOf } from '../api/queries';
import type { CheckView, FaultDocument } from '../api/types';
import { Faults, isSingle, SchemaForm, useSchemaForm } from '../form/SchemaForm';
import { Comment, Restored } from './Comment';
import { dropDraft, readDraft, useKeptDraft } from './draft';
import { Layout } from './Layout';
import { Leads } from './Leads';
import type { AnswerProps } from './Question';
import type { Asked } from './view';

const MODIFIER = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';

const TOO_EARLY = 'Not sent: the question had only just appeared. Press again to send.';

function focusFirst(form: HTMLFormElement | null): void {
  const first = form?.querySelector<HTMLElement>('input:not([type=hidden]):not([type=file]), textarea, select, button');
  first?.focus();
  if (first instanceof HTMLInputElement || first instanceof HTMLTextAreaElement) first.select();
}

/** Answer with a form; who discards a draft begins again. */
export function Filling(props: AnswerProps) {
  const [times, setTimes] = useState(0);
  const discard = () => {
    dropDraft(props.id);
    setTimes(times + 1);
  };
  return <Fill key={times} {...props} onDiscard={discard} />;
}

/** Ask the server what is wrong with an answer, without sending it. */
async function checked(view: Asked, value: Json): Promise<FaultDocument[]> {
  const path = `/api/v1/executions/${segments(view.execution)}/signals/${segments(addressOf(view))}/check`;
  return (await call<CheckView>('POST', path, { value })).faults;
}

function Fill(props: AnswerProps & { onDiscard: () => void }) {
  const { id, view, canType, canDecide, isAway, deciding, frame, top, notes, later, onTyped, onDiscard } = props;
  const schema = isObject(view.schema) ? view.schema : {};
  const [draft] = useState(() => readDraft(id));
  const form = useSchemaForm(schema, draft?.value ?? view.suggested, {
    ...(draft ? {} : { from: 'suggested' as const }),
    check: (value) => checked(view, value),
  });
  const [comment, setComment] = useState(draft?.comment ?? '');
  const [commented, setCommented] = useState(draft !== undefined);
  const [isTooEarly, setTooEarly] = useState(false);
  const fields = useRef<HTMLFormElement>(null);
  const formId = useId();
  const touched = commented || form.changed;
  const kept = useKeptDraft(id, { value: form.value, comment }, touched && canType);
  onTyped(touched ? { comment, ...(form.value === undefined ? {} : { value: form.value }) } : { comment });
  useEffect(() => focusFirst(fields.current), []);
  const { setFaults } = form;
  const { faults } = deciding;
  useEffect(() => {
    setFaults(faults);
  }, [faults, setFaults]);

  const isReady = canDecide && !deciding.busy && deciding.queued === undefined && form.pending === 0;
  const submit = () => {
    const found = form.validated();
    if (found && isReady) deciding.decide({ value: found.value, comment });
  };
  const single = isSingle(schema);
  const sendByKey = () => {
    if (frame.isSettling) announce(TOO_EARLY, 'assertive');
    setTooEarly(frame.isSettling);
    if (!frame.isSettling) submit();
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    event.preventDefault();
    if (!event.repeat) sendByKey();
  };
  return (
    <Layout
      {...frame}
      rail={
        <>
          {top}
          {draft && canType && <Restored draft={draft} onDiscard={onDiscard} />}
          {!draft && view.suggested !== undefined && (
            <Text size="sm" c="dimmed">
              Filled in as suggested; change it as needed.
            </Text>
          )}
          <form
            id={formId}
            ref={fields}
            noValidate
            className="an-fields"
            onKeyDown={press}
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <Faults form={form} />
            <SchemaForm schema={schema} form={form} label="Answer" disabled={!canType} onSubmit={sendByKey} />
            <Comment
              value={comment}
              disabled={!canType}
              kept={kept}
              onChange={(next) => {
                setCommented(true);
                setComment(next);
              }}
            />
          </form>
          <Leads view={view} />
        </>
      }
      foot={
        <>
          {notes}
          {later}
          {isTooEarly && <p className="an-early small soon">{TOO_EARLY}</p>}
          <div className="an-acts">
            {form.faults.length > 0 && (
              <Text size="sm" c="var(--bad)" aria-hidden>
                {form.faults.length} to fix
              </Text>
            )}
            <Button
              type="submit"
              form={formId}
              className="an-decide an-send"
              disabled={!isReady}
              loading={deciding.busy}
              rightSection={
                <Kbd size="xs" aria-hidden>
                  {single ? 'Enter' : `${MODIFIER} Enter`}
                </Kbd>
              }
            >
              {form.pending > 0 ? 'Send after the upload' : isAway ? 'Send when it is back' : 'Send answer'}
            </Button>
          </div>
        </>
      }
    />
  );
}
