import { Button, Kbd, SimpleGrid, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import { isObject } from '../api/json';
import type { WaitingView } from '../api/types';
import { useKeys } from '../app/keys';
import { same } from '../form/check';
import { shapeOf, YES_NO, type Choice } from '../form/shape';
import { readDraft, useKeptDraft } from './draft';
import type { AnswerProps } from './Question';

const KEYS = 9;

/** The answers to choose among, where there are so few that each has a key; none otherwise. */
export function quickChoices(view: WaitingView): Choice[] {
  const schema = isObject(view.schema) ? view.schema : {};
  const shape = shapeOf(schema, schema);
  if (shape.kind === 'boolean') return YES_NO;
  return shape.kind === 'choice' && shape.choices.length <= KEYS ? shape.choices : [];
}

/** Answer with one click, or one key. */
export function Choosing({ id, view, open, live, busy, send }: AnswerProps) {
  const choices = quickChoices(view);
  const [comment, setComment] = useState(() => readDraft(id)?.comment ?? '');
  useKeptDraft(id, { value: undefined, comment }, comment !== '');
  const choose = (choice: Choice) => send({ value: choice.value, comment }, `${view.name}: ${choice.label}.`);
  const keys = Object.fromEntries(
    choices.map((each, index) => [
      String(index + 1),
      (event: KeyboardEvent) => {
        if (!event.repeat) choose(each);
      },
    ]),
  );
  useKeys(keys, open && live && !busy);
  return (
    <>
      <Textarea
        label="Comment (optional)"
        autosize
        minRows={1}
        maxRows={8}
        value={comment}
        disabled={!open}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Stack className="bar" gap={6}>
        <Text size="sm" fw={500}>
          Answer
        </Text>
        <SimpleGrid cols={{ base: choices.length > 4 ? 2 : 1, xs: Math.min(choices.length, 3) }} spacing="xs">
          {choices.map((each, index) => {
            const suggested = view.suggested !== undefined && same(view.suggested, each.value);
            return (
              <Button
                key={each.label}
                size="md"
                variant={suggested ? 'filled' : 'default'}
                disabled={!open}
                loading={busy}
                onClick={() => choose(each)}
                rightSection={
                  <Kbd size="xs" aria-hidden>
                    {index + 1}
                  </Kbd>
                }
              >
                {each.label}
                {suggested && ' (suggested)'}
              </Button>
            );
          })}
        </SimpleGrid>
      </Stack>
    </>
  );
}
