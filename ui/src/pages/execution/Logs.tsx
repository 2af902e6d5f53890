import { Loader, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AttemptLog, ExecutionView, NodeView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import { ENDED } from '../../graph/phases';
import { LogView } from './LogView';
import { logsQuery } from './queries';

/** What the attempts of a task printed, the last first; while it runs, what it prints. */
export function Logs({ execution, node }: { execution: string; node: NodeView }) {
  const isRunning = !ENDED.has(node.phase);
  const logs = useQuery(logsQuery(execution, node.id, isRunning));
  if (logs.error) return <QueryError error={logs.error} retry={() => void logs.refetch()} what="The logs" />;
  if (!logs.data) return <Loader size="sm" aria-label="Loading the logs" />;
  const own = logs.data.items.filter((each) => each.node === node.id && each.text !== '').reverse();
  const { missing } = logs.data;
  if (own.length === 0 && missing === '') return <Text c="dimmed">{isRunning ? 'No output yet.' : 'No output.'}</Text>;
  return (
    <Stack gap="xs">
      {missing !== '' && <Text c="dimmed">{missing}</Text>}
      {own.map((each) => (
        <section key={each.attempt} aria-label={`Log of attempt ${each.attempt}`}>
          {own.length > 1 && (
            <Title order={3} size="h5">
              Attempt {each.attempt}
            </Title>
          )}
          <LogView
            text={each.text}
            label={`Log of attempt ${each.attempt}`}
            file={`${node.name}-${each.attempt}.log`}
          />
        </section>
      ))}
    </Stack>
  );
}

/** What all tasks of an execution printed: one after the other, or one of them. */
export function AllLogs({ execution }: { execution: ExecutionView }) {
  const isRunning = !ENDED.has(execution.phase);
  const logs = useQuery(logsQuery(execution.id, '', isRunning));
  const [only, setOnly] = useState('');
  if (logs.error) return <QueryError error={logs.error} retry={() => void logs.refetch()} what="The logs" />;
  if (!logs.data) return <Loader size="sm" aria-label="Loading the logs" />;
  const all = logs.data.items.filter((each) => each.text !== '');
  const { missing } = logs.data;
  if (all.length === 0 && missing !== '') return <Text c="dimmed">{missing}</Text>;
  if (all.length === 0)
    return <Text c="dimmed">{isRunning ? 'No task has printed anything yet.' : 'No task printed anything.'}</Text>;
  const nodes = [...new Map(all.map((each) => [each.node, each.name]))];
  const shown = only === '' ? all : all.filter((each) => each.node === only);
  return (
    <Stack gap="xs">
      {missing !== '' && <Text c="dimmed">{missing}</Text>}
      <NativeSelect
        size="xs"
        className="ex-log-of"
        aria-label="Logs of"
        value={only}
        onChange={(event) => setOnly(event.currentTarget.value)}
        data={[
          { value: '', label: nodes.length === 1 ? 'The task with output' : `All ${nodes.length} tasks with output` },
          ...nodes.map(([id, name]) => ({ value: id, label: `${name} ${id}` })),
        ]}
      />
      <LogView text={together(shown)} label="Log of all tasks" file={`${execution.id}.log`} />
    </Stack>
  );
}

/** Each line with the task that printed it, if there are several. */
function together(logs: readonly AttemptLog[]): string {
  if (logs.length === 1) return logs[0]?.text ?? '';
  return logs
    .map(({ name, node, attempt, text }) => {
      const who = `${name} ${node}${attempt > 1 ? `, attempt ${attempt}` : ''} | `;
      return text.replace(/\n$/, '').replace(/^/gm, who);
    })
    .join('\n');
}
