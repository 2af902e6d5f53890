import { Group, Loader, Skeleton, Stack, Tabs, Text, Title, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from '../../api/client';
import { executionQuery } from '../../api/queries';
import { useRights } from '../../api/rights';
import type { ExecutionView, GraphNodeView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import { Damaged } from '../../show/Damaged';
import type { Item } from '../../graph/model';
import { phaseWord } from '../../graph/phases';
import { LinkAnchor } from '../links';
import type { Memory } from '../../graph/useFolds';
import { taskAt } from './asked';
import './execution.css';
import { Failure } from './Failure';
import { Head } from './Head';
import { HistoryTab } from './HistoryTab';
import { AllLogs } from './Logs';
import { NodeList } from './NodeList';
import { NodePanel } from './NodePanel';
import { workflowQuery } from './queries';
import { useLoops } from './useLoops';
import { Notices } from './Notices';
import { Timeline } from './Timeline';
import { Values } from './Values';
import { WaitingBar } from './WaitingBar';

// Asked for at once, while the execution is: most who come here want to see it.
const graph = import('../../graph/Graph');
const Graph = lazy(() => graph.then((module) => ({ default: module.Graph })));
const NO_NODES: readonly GraphNodeView[] = [];
const NARROW = '(max-width: 45em)';
const TABS = ['graph', 'timeline', 'list', 'logs', 'values', 'history'] as const;
/** A graph of more nodes than these shows less than the list. */
const MANY = 2_000;
/** With more nodes than these, the times are on a page of their own. */
const FEW = 200;

export function ExecutionPage() {
  const { id } = useParams({ from: '/executions/$id' });
  const { data, error, refetch } = useQuery(executionQuery(id));
  if (data) return <Execution execution={data} />;
  if (error instanceof ApiError && error.status === 404) return <NoExecution id={id} />;
  if (error) return <QueryError error={error} retry={() => void refetch()} what="The execution" />;
  return (
    <Stack aria-busy>
      <VisuallyHidden role="status">Loading</VisuallyHidden>
      <Skeleton h={34} w={320} />
      <Skeleton h={20} w={480} maw="100%" />
      <Skeleton h={420} />
    </Stack>
  );
}

function NoExecution({ id }: { id: string }) {
  return (
    <Stack align="flex-start" maw={560} mx="auto" mt="xl">
      <Title order={1} size="h2">
        There is no such execution
      </Title>
      <Text>
        No execution is called <code>{id}</code>, or you may not see it.
      </Text>
      <LinkAnchor to="/executions">To the executions</LinkAnchor>
    </Stack>
  );
}

function Execution({ execution }: { execution: ExecutionView }) {
  const navigate = useNavigate({ from: '/executions/$id' });
  const { tab, node = '' } = useSearch({ from: '/executions/$id' });
  const isNarrow = useMediaQuery(NARROW, window.matchMedia(NARROW).matches, { getInitialValueInEffect: false });
  const shown = TABS.find((each) => each === tab) ?? (isNarrow || execution.nodes.length > MANY ? 'list' : 'graph');
  const planned = useQuery(workflowQuery(execution.workflow, execution.version));
  const { items, loops } = useLoops(execution, planned.data?.nodes ?? NO_NODES, node);
  const choose = useCallback(
    (next: string) =>
      void navigate({
        search: (now) => ({ ...now, node: next === '' || next === now.node ? undefined : next }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const memory = useRef<Memory>({});
  const latest = useRef(execution);
  latest.current = execution;
  const answer = useCallback(
    (at: string) => {
      void navigate({ search: (now) => ({ ...now, task: taskAt(latest.current, at) }), resetScroll: false });
    },
    [navigate],
  );
  const rights = useRights(execution);
  const onAnswer = execution.damaged || !rights.answer ? undefined : answer;
  const chosen = items.find((each) => each.id === node);
  const hasTimes = shown === 'graph' && items.length <= FEW;
  return (
    <Stack gap="sm" className="ex">
      {!execution.damaged && <WaitingBar execution={execution} onAnswer={answer} />}
      <Head execution={execution} />
      {execution.damaged && <Damaged sentence={execution.damaged} />}
      <Notices execution={execution} />
      {execution.error && <Failure failure={execution.error} onShow={choose} />}
      <News items={items} />
      {(!execution.damaged || items.length > 0) && (
        <div className={chosen && !isNarrow ? 'ex-split' : 'ex-alone'}>
          <div className="ex-main">
            <Tabs
              className="card ex-tabs"
              value={shown}
              keepMounted={false}
              onChange={(next) =>
                void navigate({
                  search: (now) => ({ ...now, tab: next ?? undefined }),
                  replace: true,
                  resetScroll: false,
                })
              }
            >
              <Tabs.List>
                <Tabs.Tab value="graph">Graph</Tabs.Tab>
                <Tabs.Tab value="list">List</Tabs.Tab>
                <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
                <Tabs.Tab value="logs">Logs</Tabs.Tab>
                <Tabs.Tab value="values">Inputs and outputs</Tabs.Tab>
                <Tabs.Tab value="history">
                  History <span className="dim ex-count">{execution.seq.toLocaleString()}</span>
                </Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="graph">
                {planned.error && (
                  <Text c="dimmed" p="sm">
                    Its workflow could not be loaded: {planned.error.message} Only what has begun is shown.
                  </Text>
                )}
                {planned.isPending ? (
                  <Waiting />
                ) : (
                  <Suspense fallback={<Waiting />}>
                    <Graph
                      items={items}
                      chosen={node}
                      onChoose={choose}
                      onAnswer={onAnswer}
                      loops={loops}
                      memory={memory.current}
                    />
                  </Suspense>
                )}
              </Tabs.Panel>
              <Tabs.Panel value="list">
                <NodeList items={items} chosen={node} onChoose={choose} onAnswer={onAnswer} />
              </Tabs.Panel>
              <Tabs.Panel value="timeline">
                <Timeline execution={execution} items={items} loops={loops} chosen={node} onChoose={choose} />
              </Tabs.Panel>
              <Tabs.Panel value="logs" p="sm">
                <AllLogs execution={execution} />
              </Tabs.Panel>
              <Tabs.Panel value="values" p="sm">
                <Stack>
                  <Values title="Inputs" values={execution.inputs ?? {}} empty="This workflow takes no inputs." />
                  <Values
                    title="Outputs"
                    values={execution.outputs}
                    empty={
                      execution.outputs
                        ? 'This workflow has no outputs.'
                        : 'None yet; they appear once the execution has succeeded.'
                    }
                  />
                </Stack>
              </Tabs.Panel>
              <Tabs.Panel value="history" p="sm">
                <HistoryTab execution={execution} choose={choose} />
              </Tabs.Panel>
            </Tabs>
            {hasTimes && (
              <div className="card">
                <Timeline execution={execution} items={items} loops={loops} chosen={node} onChoose={choose} />
              </div>
            )}
          </div>
          {chosen && (
            <NodePanel
              key={chosen.id}
              execution={execution}
              item={chosen}
              loops={loops}
              isNarrow={isNarrow}
              onAnswer={onAnswer}
              onChoose={choose}
              onClose={() => choose('')}
            />
          )}
        </div>
      )}
    </Stack>
  );
}

function Waiting() {
  return (
    <Group className="graph" justify="center">
      <Loader aria-label="Loading" />
    </Group>
  );
}

/** Tells those who do not see the page what has changed. */
function News({ items }: { items: readonly Item[] }) {
  const before = useRef<Map<string, string> | undefined>(undefined);
  const [news, setNews] = useState('');
  useEffect(() => {
    const phases = new Map(items.map((each) => [each.id, each.phase]));
    const changed = before.current ? items.filter((each) => before.current?.get(each.id) !== each.phase) : [];
    before.current = phases;
    if (changed.length > 0)
      setNews(
        changed
          .slice(-3)
          .map((each) => `${each.name}: ${phaseWord(each.phase)}`)
          .join('. '),
      );
  }, [items]);
  return <VisuallyHidden role="status">{news}</VisuallyHidden>;
}
