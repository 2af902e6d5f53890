/** The report of a task, in a frame where it can do nothing; nothing at all if it wrote none. */
import { Anchor, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { segments } from '../api/client';

function deckAddress(execution: string, node: string): string {
  return `/api/v1/executions/${segments(execution)}/nodes/${segments(node)}/deck`;
}

/** Whether a task has written a report. */
export function useDeck(execution: string, node: string, enabled = true) {
  return useQuery({
    queryKey: ['execution', execution, 'deck', node],
    queryFn: async () => (await fetch(deckAddress(execution, node), { method: 'HEAD' })).ok,
    enabled,
    staleTime: Infinity,
  });
}

export function Deck({ execution, node, name }: { execution: string; node: string; name: string }) {
  const { data } = useDeck(execution, node);
  if (!data) return null;
  const url = deckAddress(execution, node);
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={600}>Report of {name}</Text>
        <Anchor size="sm" href={url} target="_blank" rel="noreferrer">Open in a new tab</Anchor>
      </Group>
      <iframe className="deck" title={`Report of ${name}`} sandbox="" src={url} />
    </div>
  );
}
