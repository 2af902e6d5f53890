/** The report of a task, in a frame where it can do nothing. */
import { Anchor, Group, Text } from '@mantine/core';
import { segments } from '../api/client';

function deckAddress(execution: string, node: string): string {
  return `/api/v1/executions/${segments(execution)}/nodes/${segments(node)}/deck`;
}

export function Deck({ execution, node, name }: { execution: string; node: string; name: string }) {
  const url = deckAddress(execution, node);
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={600}>
          Report of {name}
        </Text>
        <Anchor size="sm" href={url} target="_blank" rel="noreferrer">
          Open in a new tab
        </Anchor>
      </Group>
      <iframe className="deck" title={`Report of ${name}`} sandbox="" src={url} />
    </div>
  );
}
