import { Group, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ExecutionView, NodeView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import { PhaseBadge } from '../../graph/phases';
import { clock, length } from '../../show/time';
import { attemptsOf, barsOf } from './history';
import { historyQuery } from './queries';

/** Each try of a task: when, how long, and how it ended. */
export function Attempts({ execution, node }: { execution: ExecutionView; node: NodeView }) {
  const history = useQuery(historyQuery(execution));
  if (history.error)
    return <QueryError error={history.error} retry={() => void history.refetch()} what="The history" />;
  if (!history.data) return <Loader size="sm" aria-label="Loading the attempts" />;
  const attempts = attemptsOf(history.data, node, barsOf(history.data, execution).get(node.id) ?? []);
  if (attempts.length === 0)
    return (
      <Text c="dimmed">
        {node.phase === 'SUCCEEDED' ? 'The result was kept from another execution.' : 'No attempt yet.'}
      </Text>
    );
  return (
    <Stack gap="xs" component="ol" className="ex-attempts">
      {attempts.map((each) => (
        <li key={each.number}>
          <Group gap="xs">
            <b>Attempt {each.number}</b>
            <PhaseBadge phase={each.outcome} />
            <Text fz="sm" c="dimmed">
              {each.from !== null && clock(new Date(each.from))}
              {each.from !== null && each.to !== null && `, ${length(each.to - each.from)}`}
            </Text>
          </Group>
          {each.message && (
            <Text fz="sm" className="ex-wrap ex-told" title={each.message}>
              {each.message.split('\n', 1)[0]}
            </Text>
          )}
        </li>
      ))}
    </Stack>
  );
}
