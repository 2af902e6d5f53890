import { Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { NodeView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import { ENDED } from '../../graph/phases';
import { logsQuery } from './queries';

const NEAR_END = 40;

/** What the attempts of a task wrote, the last first; while it runs, what it writes. */
export function Logs({ execution, node }: { execution: string; node: NodeView }) {
  const isRunning = !ENDED.has(node.phase);
  const logs = useQuery(logsQuery(execution, node.id, isRunning));
  if (logs.error) return <QueryError error={logs.error} retry={() => void logs.refetch()} what="The logs" />;
  if (!logs.data) return <Loader size="sm" aria-label="Loading the logs" />;
  const own = logs.data.items.filter((each) => each.node === node.id && each.text !== '').reverse();
  if (own.length === 0) return <Text c="dimmed">{isRunning ? 'No output yet.' : 'No output.'}</Text>;
  return (
    <Stack gap="xs">
      {own.map((each) => (
        <section key={each.attempt} aria-label={`Log of attempt ${each.attempt}`}>
          {own.length > 1 && (
            <Title order={3} size="h5">
              Attempt {each.attempt}
            </Title>
          )}
          <Following text={each.text} label={`Log of attempt ${each.attempt}`} />
        </section>
      ))}
    </Stack>
  );
}

/** Text that grows at its end: the end stays in view until somebody scrolls away from it. */
function Following({ text, label }: { text: string; label: string }) {
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <pre
      ref={box}
      className="ex-pre ex-log"
      tabIndex={0}
      aria-label={label}
      onScroll={({ currentTarget: at }) => {
        follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_END;
      }}
    >
      {text}
    </pre>
  );
}
