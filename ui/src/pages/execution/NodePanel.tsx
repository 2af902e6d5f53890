import { ActionIcon, Button, Drawer, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { ExecutionView } from '../../api/types';
import { IconPlay, IconX } from '../../app/icons';
import { kindWord, type Item } from '../../graph/model';
import { PhaseBadge } from '../../graph/phases';
import { Prose } from '../../show/Prose';
import { Ago, TimeLeft } from '../../show/time';
import { askedAt } from './asked';
import { Answered } from './Answered';
import { Attempts } from './Attempts';
import { Deck } from './Deck';
import { Failure } from './Failure';
import { Logs } from './Logs';
import { Took } from './Took';
import { Values } from './Values';

type Props = {
  execution: ExecutionView;
  item: Item;
  isNarrow: boolean;
  onAnswer: ((id: string) => void) | undefined;
  onClose: () => void;
};

/** All about one node: beside the graph, or over the page where there is no room beside it. */
export function NodePanel(props: Props) {
  const { item, isNarrow, onClose } = props;
  if (isNarrow) {
    return (
      <Drawer
        opened
        onClose={onClose}
        position="bottom"
        size="85%"
        title={
          <Text span fw={650} size="lg" className="ex-wrap">
            {item.name}
          </Text>
        }
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Inside {...props} />
      </Drawer>
    );
  }
  return <Beside {...props} />;
}

function Beside(props: Props) {
  const { item, onClose } = props;
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus({ preventScroll: true }), []);
  const close = () => {
    onClose();
    document.querySelector<HTMLElement>(`[data-focus="${CSS.escape(item.id)}"]`)?.focus();
  };
  return (
    <aside
      className="card ex-panel"
      aria-label={`Node ${item.name}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <Group justify="space-between" wrap="nowrap" mb="xs" align="flex-start">
        <Title order={2} size="h3" tabIndex={-1} ref={head} className="ex-wrap">
          {item.name}
        </Title>
        <ActionIcon variant="subtle" color="gray" size={30} onClick={close} aria-label="Close the panel">
          <IconX />
        </ActionIcon>
      </Group>
      <Inside {...props} />
    </aside>
  );
}

function Inside({ execution, item, onAnswer }: Props) {
  const { node } = item;
  if (!node) return null;
  const isTask = item.kind === 'task';
  const waiting = askedAt(execution, item.id);
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <PhaseBadge phase={item.phase} />
        <Text c="dimmed" fz="sm">
          {kindWord(item.kind, item.dynamic)} <code>{item.id}</code>
        </Text>
      </Group>
      {item.phase === 'WAITING' && (
        <Group gap="sm">
          {onAnswer && (
            <Button className="ex-answer" leftSection={<IconPlay size={16} />} onClick={() => onAnswer(item.id)}>
              Resume
            </Button>
          )}
          <Text fz="sm">
            <TimeLeft due={node.due} />
            {waiting?.expects && item.kind === 'input' && `, expects ${waiting.expects}`}
          </Text>
        </Group>
      )}
      {item.phase === 'SLEEPING' && (
        <Text fz="sm">
          {isTask ? 'Retries' : 'Wakes up'}: <TimeLeft due={node.due} />
        </Text>
      )}
      {node.held && (
        <Text fz="sm">
          {node.held.code === 'busy' ? '' : 'Held: '}
          {node.held.message}, since <Ago at={node.held.since} />
        </Text>
      )}
      {item.phase === 'SKIPPED' && <Text fz="sm">Another branch was taken, so this did not run.</Text>}
      {node.began && (
        <Text fz="sm" c="dimmed">
          began <Ago at={node.began} />, {node.ended ? 'took' : 'for'} <Took from={node.began} to={node.ended} />
        </Text>
      )}
      {item.kind === 'branch' && node.case !== null && (
        <Text fz="sm">
          Took <code>{item.cases[node.case] ?? `case ${node.case + 1}`}</code>
        </Text>
      )}
      {node.failure && <Failure failure={node.failure} />}
      {node.answer && <Answered answer={node.answer} kind={item.kind} />}
      {waiting?.prompt && <Prose text={waiting.prompt} />}
      {(isTask || node.outputs) && (
        <Tabs defaultValue={isTask ? 'attempts' : 'outputs'} keepMounted={false}>
          <Tabs.List>
            {isTask && <Tabs.Tab value="attempts">Attempts</Tabs.Tab>}
            <Tabs.Tab value="outputs">Outputs</Tabs.Tab>
            {isTask && <Tabs.Tab value="logs">Logs</Tabs.Tab>}
            {isTask && <Tabs.Tab value="deck">Report</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="attempts" pt="sm">
            <Attempts execution={execution} node={node} />
          </Tabs.Panel>
          <Tabs.Panel value="outputs" pt="sm">
            <Values
              order={3}
              title="Outputs"
              values={node.outputs}
              empty={node.outputs ? 'This node has no outputs.' : 'None: the node has not succeeded.'}
            />
          </Tabs.Panel>
          <Tabs.Panel value="logs" pt="sm">
            <Logs execution={execution.id} node={node} />
          </Tabs.Panel>
          <Tabs.Panel value="deck" pt="sm">
            <Deck execution={execution.id} node={node} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  );
}
