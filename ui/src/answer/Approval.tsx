import { Button, Group, Kbd, Stack, Text, Textarea } from '@mantine/core';
import { useRef, useState } from 'react';
import { useKeys } from '../app/keys';
import { readDraft, useKeptDraft } from './draft';
import type { AnswerProps } from './Question';

/** Approve or reject, with a comment. */
export function Approval({ id, view, open, live, busy, send }: AnswerProps) {
  const [comment, setComment] = useState(() => readDraft(id)?.comment ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  useKeptDraft(id, { value: undefined, comment }, comment !== '');
  const decide = (value: boolean) => send({ value, comment }, `${view.name}: ${value ? 'approved' : 'rejected'}.`);
  const byKey = (value: boolean) => (event: KeyboardEvent) => {
    if (!event.repeat) decide(value);
  };
  useKeys({ a: byKey(true), r: byKey(false), c: () => field.current?.focus() }, open && live && !busy);
  return (
    <>
      <Textarea
        ref={field}
        label="Comment (optional)"
        autosize
        minRows={1}
        maxRows={8}
        value={comment}
        disabled={!open}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Stack className="bar" gap={8}>
        <Group justify="flex-end" grow preventGrowOverflow={false}>
          <Button
            size="md"
            variant="default"
            className="reject"
            disabled={!open}
            loading={busy}
            onClick={() => decide(false)}
            rightSection={
              <Kbd size="xs" aria-hidden>
                R
              </Kbd>
            }
          >
            Reject
          </Button>
          <Button
            size="md"
            className="approve"
            disabled={!open}
            loading={busy}
            onClick={() => decide(true)}
            rightSection={
              <Kbd size="xs" aria-hidden>
                A
              </Kbd>
            }
          >
            Approve
          </Button>
        </Group>
        <Text size="sm" c="dimmed">
          If you reject, nothing after this runs, and the execution fails.
        </Text>
      </Stack>
    </>
  );
}
