import { Button, Group, Text } from '@mantine/core';
import type { ExecutionView } from '../../api/types';
import { IconHand } from '../../app/icons';
import { TimeLeft } from '../../show/time';

const SHOWN = 3;

/** What an execution waits for somebody to say, above all else on its page. */
export function WaitingBar({ execution, onAnswer }: { execution: ExecutionView; onAnswer: (node: string) => void }) {
  const asked = execution.nodes.filter((each) => each.phase === 'WAITING' && (each.kind === 'input' || each.kind === 'approve'));
  if (asked.length === 0) return null;
  return (
    <section className="ex-waiting" aria-label="Waiting for a person">
      {asked.slice(0, SHOWN).map((each) => (
        <Group key={each.id} gap="sm" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <IconHand />
            <Text>Waiting for a person: <b>{each.name}</b> (<TimeLeft due={each.due} />)</Text>
          </Group>
          <Button size="compact-md" className="ex-answer" onClick={() => onAnswer(each.id)} aria-label={`${each.kind === 'approve' ? 'Review' : 'Answer'} ${each.name}`}>{each.kind === 'approve' ? 'Review' : 'Answer'}</Button>
        </Group>
      ))}
      {asked.length > SHOWN && <Text>and {asked.length - SHOWN} more, in the list</Text>}
    </section>
  );
}
