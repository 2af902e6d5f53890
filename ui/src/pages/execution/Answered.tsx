import { Text } from '@mantine/core';
import type { AnswerView } from '../../api/types';
import { Ago } from '../../show/time';
import { Value } from '../../show/Value';

/** Who answered what, when, through what, and why. */
export function Answered({ answer, kind }: { answer: AnswerView; kind: string }) {
  const decision = kind === 'approve' ? (answer.value === true ? 'Approved' : 'Rejected') : 'Answered';
  return (
    <section className="card ex-answered" aria-label="Answer">
      <Text fz="sm">
        <b>{decision}</b>{' '}
        {answer.by_timeout ? (
          'because the time ran out'
        ) : (
          <>
            by <b>{answer.who}</b> ({answer.via})
          </>
        )}
        , <Ago at={answer.at} />
        {answer.early && ', before it was asked for'}
        {answer.kept && `, kept from ${answer.kept}`}
        {answer.shown === 'no' && !answer.by_timeout && ' (shown: no)'}
      </Text>
      {kind !== 'approve' && (
        <div>
          <Value value={answer.value} />
        </div>
      )}
      {answer.comment && <blockquote>{answer.comment}</blockquote>}
    </section>
  );
}
