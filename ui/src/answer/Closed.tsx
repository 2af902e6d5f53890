import { Alert, Button, Text } from '@mantine/core';
import { Ago, clock } from '../show/time';
import { brief } from '../show/Value';
import type { Ending } from './useTask';

/** What has become of a request that is no longer open. */
export function Closed({
  ending,
  due,
  onNext,
}: {
  ending: Ending;
  due: string | null;
  onNext: (() => void) | undefined;
}) {
  return (
    <Alert
      color={ending.phase === 'SUCCEEDED' ? 'gray' : 'orange'}
      variant="light"
      role="status"
      className="closed"
      title={<Outcome ending={ending} due={due} />}
    >
      {ending.answer?.comment && (
        <Text size="sm" mb={6}>
          “{ending.answer.comment}”
        </Text>
      )}
      {onNext && (
        <Button size="xs" onClick={onNext}>
          Next request
        </Button>
      )}
    </Alert>
  );
}

function Outcome({ ending, due }: { ending: Ending; due: string | null }) {
  const { answer, kind, phase } = ending;
  const ranOut = due ? `The time for this ran out at ${clock(new Date(due))}.` : 'The time for this ran out.';
  if (answer?.by_timeout)
    return (
      <>
        {ranOut} The answer for that case was taken: {verdict(kind, answer.value)}.
      </>
    );
  if (answer) {
    return (
      <>
        Already answered by {answer.who}, <Ago at={answer.at} />: {verdict(kind, answer.value)}
        {answer.early ? ' (before it was asked)' : ''}
      </>
    );
  }
  switch (phase) {
    case 'TIMED_OUT':
      return <>{ranOut}</>;
    case 'ABORTED':
      return <>The execution was ended. An answer is no longer needed.</>;
    case 'SKIPPED':
      return <>The workflow took another branch. An answer is no longer needed.</>;
    case 'QUEUED':
    case 'RUNNING':
      return <>The workflow has not reached this yet: there is nothing to approve.</>;
    default:
      return <>This is no longer open.</>;
  }
}

function verdict(kind: string, value: Parameters<typeof brief>[0]): string {
  if (kind === 'approve') return value === true ? 'approved' : 'rejected';
  return brief(value);
}
