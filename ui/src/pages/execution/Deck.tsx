import { Anchor, Group, Loader, NativeSelect, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import type { NodeView } from '../../api/types';
import { ENDED } from '../../graph/phases';
import { deckPath, deckQuery } from './queries';

/** The report that an attempt has made, the last attempt's first. It is the author's own page, so it is shown where it can run nothing and ask nobody. */
export function Deck({ execution, node }: { execution: string; node: NodeView }) {
  const [chosen, setChosen] = useState(0);
  const attempt = chosen || node.attempts;
  const isRunning = !ENDED.has(node.phase) && attempt === node.attempts;
  const deck = useQuery(deckQuery(execution, node.id, attempt, isRunning));
  const published = usePublished(deck.data);
  const address = deckPath(execution, node.id, attempt);
  return (
    <>
      {node.attempts > 1 && (
        <NativeSelect
          size="xs"
          mb="xs"
          aria-label="Report of attempt"
          value={attempt}
          onChange={(event) => setChosen(Number(event.currentTarget.value))}
          data={Array.from({ length: node.attempts }, (_, at) => ({
            value: String(node.attempts - at),
            label: `Attempt ${node.attempts - at}`,
          }))}
        />
      )}
      {deck.isPending && <Loader size="sm" aria-label="Loading the report" />}
      {deck.error && <Text role="alert">{deck.error.message}</Text>}
      {deck.data === null && <Text c="dimmed">{isRunning ? 'No report yet.' : 'This task wrote no report.'}</Text>}
      {deck.data && (
        <>
          {isRunning && (
            <Text fz="sm" c="dimmed" mb={4} role="status">
              It is still running; what it publishes next replaces this
              {published > 1 && ` (published ${published} times while you look)`}.
            </Text>
          )}
          <iframe key={published} className="ex-deck" sandbox="" src={address} title={`Report of ${node.name}`} />
          <Group gap="md" mt="xs">
            <Anchor href={address} target="_blank" rel="noreferrer">
              Open in a new tab
            </Anchor>
            <Anchor href={address} download={`${node.name}.html`}>
              Download
            </Anchor>
          </Group>
        </>
      )}
    </>
  );
}

/** Return how many different pages were seen. */
function usePublished(page: string | null | undefined): number {
  const seen = useRef({ page: '', times: 0 });
  return useMemo(() => {
    if (page && page !== seen.current.page) seen.current = { page, times: seen.current.times + 1 };
    return seen.current.times;
  }, [page]);
}
