/** Why a decision was not taken. What was typed is still there, whatever this says. */
import { Alert, Button, Text } from '@mantine/core';
import { ApiError } from '../api/client';
import { spellPath } from '../form/check';
import { clock } from '../show/time';
import type { Pressed } from './useDecision';
import { verb } from './outcome';

type Props = { kind: string; error: Error; pressed: Pressed | undefined; isAway: boolean; renew: () => void };

export function Problem({ kind, error, pressed, isAway, renew }: Props) {
  const known = error instanceof ApiError ? error : undefined;
  if (known?.isUnreachable)
    return isAway ? null : (
      <Note title="The server did not reply">
        Whether your decision was stored is being checked. If it was not, decide again: the same decision never counts
        twice.
      </Note>
    );
  if (known?.status === 401)
    return (
      <Note title="Not sent: your session has ended">
        {pressed && `You ${verb(kind, pressed.value)} at ${clock(pressed.at)}, and nothing was stored. `}Sign in, then
        decide again: it is not sent by itself.
      </Note>
    );
  if (known?.status === 403) return <Note title="You may not decide this">{known.message}</Note>;
  if (known?.code === 'changed')
    return (
      <Note title="This has changed since it was shown" action="Show it as it is now" onAction={renew}>
        Nothing was stored: {changedIn(known)}. Your comment is kept.
      </Note>
    );
  if (known?.status === 422)
    return (
      <Note title="Invalid answer">
        {known.faults.length > 0
          ? known.faults.map((each) => (
              <span key={each.reason + each.path.join('.')} className="an-fault-line">
                {each.path.length > 0 && <b>{spellPath(each.path)}: </b>}
                {each.reason}
              </span>
            ))
          : known.message}
      </Note>
    );
  if (known?.status === 429 || known?.status === 503)
    return (
      <Note title="Not sent: the server is busy">{known.message}. Your input is kept; try again in a moment.</Note>
    );
  return <Note title="Not sent. Your input is kept.">{error.message}</Note>;
}

type NoteProps = { title: string; children: React.ReactNode; action?: string; onAction?: () => void };

function Note({ title, children, action, onAction }: NoteProps) {
  return (
    <Alert color="red" variant="light" role="alert" title={title} className="an-problem">
      <Text size="sm" component="div">
        {children}
      </Text>
      {action && (
        <Button size="xs" variant="default" mt={8} onClick={onAction}>
          {action}
        </Button>
      )}
    </Alert>
  );
}

/** Say what is different. */
function changedIn({ facts }: ApiError): string {
  const parts = Array.isArray(facts.changed) ? facts.changed.map(String) : [];
  if (parts.length === 0) return 'it is not what you were shown';
  return parts.includes('handle') ? 'it is a different question' : `${parts.join(', ')} changed`;
}
