import { Button, Group, Kbd, Stack, Text, Textarea } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { isObject } from '../api/json';
import { Faults, isSingle, SchemaForm, useSchemaForm } from '../form/SchemaForm';
import { readDraft, useKeptDraft } from './draft';
import type { AnswerProps } from './Question';

const MODIFIER = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';

function focusFirst(form: HTMLFormElement | null): void {
  const first = form?.querySelector<HTMLElement>('input:not([type=hidden]):not([type=file]), textarea, select, button');
  // The dialog chooses this too, if it has not yet chosen what has the focus.
  first?.setAttribute('data-autofocus', '');
  first?.focus();
  if (first instanceof HTMLInputElement || first instanceof HTMLTextAreaElement) first.select();
}

/** Answer with a form. */
export function Filling({ id, view, open, live, busy, faults, send }: AnswerProps) {
  const schema = isObject(view.schema) ? view.schema : {};
  const [draft] = useState(() => readDraft(id));
  const form = useSchemaForm(schema, draft?.value ?? view.suggested, draft ? {} : { from: 'suggested' });
  const [comment, setComment] = useState(draft?.comment ?? '');
  const [commented, setCommented] = useState(draft !== undefined);
  const fields = useRef<HTMLFormElement>(null);
  useKeptDraft(id, { value: form.value, comment }, commented || form.changed);
  useEffect(() => focusFirst(fields.current), []);
  const { setFaults } = form;
  useEffect(() => {
    setFaults(faults);
  }, [faults, setFaults]);

  const submit = () => {
    const found = form.validated();
    if (found && open) send({ value: found.value, comment }, `${view.name}: sent.`);
  };
  const single = isSingle(schema);
  const sendByKey = () => live && submit();
  const press = (event: React.KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!event.repeat) sendByKey();
  };
  return (
    <form
      ref={fields}
      noValidate
      onKeyDown={press}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md">
        {draft && (
          <Text size="sm" c="dimmed">
            Your draft is back.{' '}
            {view.suggested !== undefined && (
              <Button size="compact-xs" variant="default" onClick={() => form.setValue(view.suggested)}>
                Use the suggestion
              </Button>
            )}
          </Text>
        )}
        {!draft && view.suggested !== undefined && (
          <Text size="sm" c="dimmed">
            Filled in as suggested; change it as needed.
          </Text>
        )}
        <SchemaForm schema={schema} form={form} label="Answer" disabled={!open} onSubmit={sendByKey} />
        <Textarea
          label="Comment (optional)"
          autosize
          minRows={1}
          maxRows={8}
          value={comment}
          disabled={!open}
          onChange={(event) => {
            setCommented(true);
            setComment(event.currentTarget.value);
          }}
        />
        <Faults form={form} />
        <Group className="bar" justify="flex-end" gap="sm">
          {form.faults.length > 0 && (
            <Text size="sm" c="var(--mantine-color-error)" aria-hidden>
              {form.faults.length} to fix
            </Text>
          )}
          <Button
            type="submit"
            size="md"
            disabled={!open || form.pending > 0}
            loading={busy}
            rightSection={
              <Kbd size="xs" aria-hidden>
                {single ? 'Enter' : `${MODIFIER} Enter`}
              </Kbd>
            }
          >
            {form.pending > 0 ? 'Send after the upload' : 'Send answer'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
