import { Button, Text } from '@mantine/core';
import { useMemo } from 'react';
import type { ExecutionView, NodeView } from '../../api/types';
import { IconHand } from '../../app/icons';
import { asksPeople } from '../../graph/phases';
import { TimeLeft } from '../../show/time';

const SHOWN = 3;

/** What the button that leads to a question says. */
export function verbOf(kind: string): string {
  return kind === 'approve' ? 'Approve…' : 'Answer';
}

/** What an execution waits for somebody to say, above all else on its page, for the eye and for the keyboard. */
export function WaitingBar({ execution, onAnswer }: { execution: ExecutionView; onAnswer: (node: string) => void }) {
  const asked = useMemo(
    () => execution.nodes.filter((each) => each.phase === 'WAITING' && asksPeople(each)),
    [execution.nodes],
  );
  if (asked.length === 0) return null;
  return (
    <section className="ex-waiting" aria-label="Waiting for people">
      {asked.slice(0, SHOWN).map((each) => (
        <Line key={each.id} execution={execution} node={each} onAnswer={onAnswer} />
      ))}
      {asked.length > SHOWN && (
        <Text fz="sm">and {(asked.length - SHOWN).toLocaleString()} more, in the graph and in the list</Text>
      )}
    </section>
  );
}

function Line({
  execution,
  node,
  onAnswer,
}: {
  execution: ExecutionView;
  node: NodeView;
  onAnswer: (node: string) => void;
}) {
  const question = execution.waiting.find((each) => each.node === node.id);
  const path = question?.path ?? node.name;
  const holder = path === node.name ? undefined : execution.nodes.find((each) => each.id === node.parent);
  const title = question?.title || node.name;
  return (
    <div className="ex-ask">
      <IconHand />
      <span className="ex-ask-text">
        <b dir="auto">{title}</b>
        {title !== node.name && (
          <>
            {' '}
            (<code>{node.name}</code>)
          </>
        )}
        {holder && (
          <>
            {' '}
            in {holder.name}
            {holder.round > 1 ? `, round ${holder.round},` : ''} <code>{holder.id}</code>
          </>
        )}{' '}
        waits: <TimeLeft due={node.due} />
        {question && !question.may && <span className="dim">. {question.who_may}</span>}
      </span>
      {(question?.may ?? true) && (
        <Button
          size="compact-md"
          className="ex-answer"
          onClick={() => onAnswer(node.id)}
          aria-label={`${verbOf(node.kind)} ${path}`}
        >
          {verbOf(node.kind)}
        </Button>
      )}
    </div>
  );
}
