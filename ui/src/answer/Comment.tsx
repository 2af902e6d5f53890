/** The comment that goes with a decision, and whether what is typed is kept. */
import { Alert, Anchor, Kbd, Text, Textarea } from '@mantine/core';
import { type RefObject } from 'react';
import { clock } from '../show/time';
import type { Draft, Kept } from './draft';
import { IconRestore } from './icons';

type Props = {
  value: string;
  onChange: (value: string) => void;
  disabled: boolean;
  kept: Kept;
  field?: RefObject<HTMLTextAreaElement | null>;
  /** Whether a key leads here. */
  isKeyed?: boolean;
};

export function Comment({ value, onChange, disabled, kept, field, isKeyed = false }: Props) {
  return (
    <div>
      <Textarea
        ref={field}
        className="an-comment"
        label={
          <>
            Comment <span className="dim">(optional)</span>
          </>
        }
        rightSection={
          isKeyed && value === '' ? (
            <Kbd size="xs" aria-hidden>
              C
            </Kbd>
          ) : undefined
        }
        autosize
        minRows={2}
        maxRows={8}
        dir="auto"
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Saved kept={kept} />
    </div>
  );
}

function Saved({ kept }: { kept: Kept }) {
  if (kept === undefined) return null;
  return (
    <Text size="xs" c="dimmed" mt={4}>
      {kept === 'failed'
        ? 'This is too much for a draft: it is gone when this page is closed.'
        : `Draft saved in this browser, ${clock(new Date(kept.at))}`}
    </Text>
  );
}

/** That what somebody had typed is there again. */
export function Restored({ draft, onDiscard }: { draft: Draft; onDiscard: () => void }) {
  return (
    <Alert variant="light" className="an-restored" icon={<IconRestore size={16} />} role="status">
      <b>Your draft of {clock(new Date(draft.at))} is back.</b>{' '}
      <Anchor component="button" type="button" inherit underline="always" onClick={onDiscard}>
        Discard it
      </Anchor>
    </Alert>
  );
}
