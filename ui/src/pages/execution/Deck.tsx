import { Anchor, Group, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { NodeView } from '../../api/types';
import { deckPath, deckQuery } from './queries';

/** The report that a task has made. It is the author's own page, so it is shown where it can run nothing and ask nobody. */
export function Deck({ execution, node }: { execution: string; node: NodeView }) {
  const deck = useQuery(deckQuery(execution, node.id, node.attempts));
  if (deck.isPending) return <Loader size="sm" aria-label="Loading the report" />;
  if (deck.error) return <Text role="alert">{deck.error.message}</Text>;
  if (!deck.data) return <Text c="dimmed">This task wrote no report.</Text>;
  const address = deckPath(execution, node.id, node.attempts);
  return (
    <>
      <iframe className="ex-deck" sandbox="" src={address} title={`Report of ${node.name}`} />
      <Group gap="md" mt="xs">
        <Anchor href={address} target="_blank" rel="noreferrer">
          Open in a new tab
        </Anchor>
        <Anchor href={address} download={`${node.name}.html`}>
          Download
        </Anchor>
      </Group>
    </>
  );
}
