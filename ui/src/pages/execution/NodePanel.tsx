import { ActionIcon, Button, CopyButton, Drawer, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { writeJson, type Json } from '../../api/json';
import type { ExecutionView, NodeView } from '../../api/types';
import { IconChevron, IconX } from '../../app/icons';
import { kindWord, type Item } from '../../graph/model';
import { ENDED, PhaseBadge } from '../../graph/phases';
import { asksNow } from '../../graph/states';
import { Prose } from '../../show/Prose';
import { Ago, clock, TimeLeft } from '../../show/time';
import type { Loops } from '../../graph/useFolds';
import { askedAt } from './asked';
import { Answered } from './Answered';
import { Attempts } from './Attempts';
import { Deck } from './Deck';
import { Failure } from './Failure';
import { Logs } from './Logs';
import { idIn, turnOf } from './loops';
import { NodeInputs, NodeOutputs } from './NodeValues';
import { Took } from './Took';
import { verbOf } from './WaitingBar';

type Props = {
  execution: ExecutionView;
  item: Item;
  loops: Loops;
  isNarrow: boolean;
  onAnswer: ((id: string) => void) | undefined;
  onChoose: (id: string) => void;
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
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div className="ex-panel-head">
          <Within {...props} />
          <Title order={2} size="h4" tabIndex={-1} ref={head} className="ex-wrap" dir="auto">
            {item.name}
          </Title>
        </div>
        <ActionIcon variant="subtle" color="gray" size={30} onClick={close} aria-label="Close the panel">
          <IconX />
        </ActionIcon>
      </Group>
      <Inside {...props} />
    </aside>
  );
}

/** The frames that a node lies in, from the outside in. */
function Within({ execution, item, onChoose }: Pick<Props, 'execution' | 'item' | 'onChoose'>) {
  const frames: NodeView[] = [];
  const find = (id: string) => execution.nodes.find((each) => each.id === id);
  for (let at = find(item.scope); at !== undefined; at = find(at.parent)) frames.unshift(at);
  if (frames.length === 0) return null;
  const many = 3;
  return (
    <Group gap={4} fz="xs" className="ex-within">
      {frames.length > many && <span className="dim">… ›</span>}
      {frames.slice(-many).map((each) => (
        <span key={each.id}>
          <button type="button" className="ex-link" onClick={() => onChoose(each.id)}>
            {each.name}
            {each.round > 1 && `, round ${each.round}`}
          </button>{' '}
          <span className="dim">›</span>
        </span>
      ))}
    </Group>
  );
}

const ORDINALS = new Intl.PluralRules('en', { type: 'ordinal' });
const ENDINGS: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

function ordinal(number: number): string {
  return `${number}${ENDINGS[ORDINALS.select(number)] ?? 'th'}`;
}

function Inside(props: Props) {
  const { execution, item } = props;
  const { node } = item;
  if (!node) return <Text fz="sm">The execution fails here if no case holds, with the message “{item.name}”.</Text>;
  const isTask = item.kind === 'task';
  return (
    <Stack gap="xs">
      <Turns {...props} />
      <Standing {...props} node={node} />
      <Tabs defaultValue="overview" keepMounted={false} className="ex-panel-tabs">
        <Tabs.List>
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          {isTask && <Tabs.Tab value="logs">Logs</Tabs.Tab>}
          {isTask && <Tabs.Tab value="deck">Report</Tabs.Tab>}
          <Tabs.Tab value="raw">Raw</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <NodeInputs execution={execution.id} node={node} />
          <NodeOutputs node={node} />
          {isTask && (
            <section className="ex-part" aria-label="Attempts">
              <Title order={3} className="ex-part-title" mb={4}>
                Attempts
              </Title>
              <Attempts execution={execution} node={node} />
            </section>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="logs" pt="sm">
          <Logs execution={execution.id} node={node} />
        </Tabs.Panel>
        <Tabs.Panel value="deck" pt="sm">
          <Deck execution={execution.id} node={node} />
        </Tabs.Panel>
        <Tabs.Panel value="raw" pt="sm">
          <Raw node={node} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

/** The same node in the round before, and in the round after. */
function Turns({ item, loops, onChoose }: Props) {
  const turn = turnOf(item.id, loops.rounds.keys());
  const last = turn && loops.rounds.get(turn.loop)?.rounds.at(-1)?.number;
  if (!turn || !last || last < 2) return null;
  const to = (round: number) => {
    loops.open(turn.loop, round === last ? 0 : round);
    onChoose(idIn(turn, round));
  };
  return (
    <Group gap={4} fz="sm">
      <ActionIcon
        size={26}
        variant="subtle"
        color="gray"
        className="ex-back"
        aria-label="Same node, previous round"
        disabled={turn.round <= 1}
        onClick={() => to(turn.round - 1)}
      >
        <IconChevron size={14} />
      </ActionIcon>
      round {turn.round} of {last}
      <ActionIcon
        size={26}
        variant="subtle"
        color="gray"
        aria-label="Same node, next round"
        disabled={turn.round >= last}
        onClick={() => to(turn.round + 1)}
      >
        <IconChevron size={14} />
      </ActionIcon>
    </Group>
  );
}

/** How it stands, why, and what can be done about it. */
function Standing({ execution, item, node, onAnswer }: Props & { node: NodeView }) {
  const waiting = askedAt(execution, item.id);
  // The page has it above, in whole.
  const isTold = node.failure?.message === execution.error?.message;
  return (
    <>
      <Group gap="xs">
        <PhaseBadge phase={item.phase} />
        {ENDED.has(item.phase) && node.attempts > 1 && (
          <Text c="dimmed" fz="sm">
            on the {ordinal(node.attempts)} attempt
          </Text>
        )}
      </Group>
      <Text c="dimmed" fz="sm">
        {kindWord(item.kind, item.dynamic)} <code>{item.id}</code>
        {node.began && (
          <>
            {' · '}
            {node.ended ? (
              <>
                {clock(new Date(node.began))} to {clock(new Date(node.ended))}, took{' '}
              </>
            ) : (
              <>
                since <Ago at={node.began} />, for{' '}
              </>
            )}
            <Took from={node.began} to={node.ended} />
          </>
        )}
      </Text>
      {asksNow(item) && (
        <Group gap="sm">
          {onAnswer && (waiting?.may ?? true) && (
            <Button className="ex-answer" onClick={() => onAnswer(item.id)}>
              {verbOf(item.kind)}
            </Button>
          )}
          <Text fz="sm">
            <TimeLeft due={node.due} />
            {waiting?.expects && item.kind === 'input' && `, expects ${waiting.expects}`}
            {waiting && !waiting.may && `, ${waiting.who_may}`}
          </Text>
        </Group>
      )}
      {item.phase === 'SLEEPING' && node.due && (
        <Text fz="sm">
          {item.kind === 'task' ? 'Retries' : 'Wakes up'}: <TimeLeft due={node.due} />
        </Text>
      )}
      {node.held && (
        <Text fz="sm">
          {node.held.code === 'busy' ? '' : 'Held: '}
          {node.held.message}, since <Ago at={node.held.since} />
        </Text>
      )}
      <Why item={item} />
      {item.kind === 'branch' && node.case !== null && (
        <Text fz="sm">
          Took <code>{item.cases[node.case] ?? `case ${node.case + 1}`}</code>
        </Text>
      )}
      {node.failure && !isTold && <Failure failure={node.failure} />}
      {node.failure && isTold && item.kind !== 'task' && (
        <Text fz="sm" className="ex-wrap ex-told">
          {node.failure.message.split('\n', 1)[0]}
        </Text>
      )}
      {node.answer && <Answered answer={node.answer} kind={item.kind} />}
      {waiting?.prompt && <Prose text={waiting.prompt} />}
    </>
  );
}

const WHYS: Record<string, string> = {
  SKIPPED: 'Another branch was taken, so this did not run.',
  NOT_REACHED: 'Something before it did not succeed, so this did not run.',
  WITHDRAWN: 'Nothing needs the answer any longer, so the question was withdrawn.',
  NOT_STARTED: 'It begins when what comes before it has ended.',
};

function Why({ item }: { item: Item }) {
  const why = WHYS[item.phase];
  return why === undefined ? null : <Text fz="sm">{why}</Text>;
}

function Raw({ node }: { node: NodeView }) {
  const text = writeJson(node as unknown as Json, 2);
  return (
    <>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
      <pre className="ex-pre" tabIndex={0} aria-label={`Raw state of ${node.name}`}>
        {text}
      </pre>
    </>
  );
}
