import { Button, Group, Text } from '@mantine/core';
import type { ExecutionView, NodeView } from '../../api/types';
import { IconHand } from '../../app/icons';
import { asksPeople } from '../../graph/phases';
import { TimeLeft } from '../../show/time';
import { askedAt } from './asked';

const SHOWN = 3;

/** What an execution waits for somebody to say, above all else on its page, for the eye and for the keyboard. */
export function WaitingBar({ execution, onAnswer }: { execution: ExecutionView; onAnswer: (node: string) => void }) {
  const asked = execution.nodes.filter((each) => each.phase === 'WAITING' && asksPeople(each));
  if (asked.length === 0) return null;
  return (
    <section className="ex-waiting" aria-label="Waiting for you">
      {asked.slice(0, SHOWN).map((each) => (
        <Line key={each.id} execution={execution} node={each} onAnswer={onAnswer} />
      ))}
      {asked.length > SHOWN && <Text>and {asked.length - SHOWN} more, in the list</Text>}
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
  const path = askedAt(execution, node.id)?.path ?? node.name;
  const holder = path === node.name ? undefined : execution.nodes.find((each) => each.id === node.parent);
  const verb = node.kind === 'approve' ? 'Review' : 'Answer';
  return (
    <Group gap="sm" justify="space-between" wrap="nowrap">
      <Group gap="xs" wrap="nowrap">
        <IconHand />
        <Text>
          Waiting for you: <b>{node.name}</b>
          {holder && (
            <>
              {' '}
              in {holder.name} <code>{holder.id}</code>
            </>
          )}{' '}
          (<TimeLeft due={node.due} />)
        </Text>
      </Group>
      <Button size="compact-md" className="ex-answer" onClick={() => onAnswer(node.id)} aria-label={`${verb} ${path}`}>
        {verb}
      </Button>
    </Group>
  );
}
