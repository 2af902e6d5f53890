import { Group, Loader, NativeSelect, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { ApiError } from '../../api/client';
import type { GraphNodeView, WorkflowDetail } from '../../api/types';
import { QueryError } from '../../app/PageError';
import { itemsOfWorkflow, kindWord } from '../../graph/model';
import { span } from '../../show/time';
import { LinkAnchor } from '../links';
import { WorkflowName } from '../WorkflowName';
import { versionsQuery, workflowQuery } from '../execution/queries';
import { Launch } from './Launch';
import './workflows.css';

// Asked for at once, while the workflow is.
const graph = import('../../graph/Graph');
const Graph = lazy(() => graph.then((module) => ({ default: module.Graph })));

/** One workflow: what it does, before it has ever run, and the form that launches it. */
export function WorkflowPage() {
  const { name } = useParams({ from: '/workflows/$name' });
  const { version = '', again } = useSearch({ from: '/workflows/$name' });
  const query = useQuery(workflowQuery(name, version));
  if (query.data) return <Workflow key={query.data.workflow.version} detail={query.data} from={again} />;
  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <Stack align="flex-start" maw={560} mx="auto" mt="xl">
        <Title order={1} size="h2">
          There is no such workflow
        </Title>
        <Text>
          No workflow is called <code>{name}</code>
          {version && (
            <>
              {' '}
              in version <code>{version}</code>
            </>
          )}
          .
        </Text>
        {version && (
          <LinkAnchor to="/workflows/$name" params={{ name }} search={{}}>
            To its latest version
          </LinkAnchor>
        )}
        <LinkAnchor to="/workflows">To the workflows</LinkAnchor>
      </Stack>
    );
  }
  if (query.error) return <QueryError error={query.error} retry={() => void query.refetch()} what="The workflow" />;
  return (
    <Stack aria-busy>
      <VisuallyHidden role="status">Loading</VisuallyHidden>
      <Skeleton h={34} w={320} />
      <Skeleton h={420} />
    </Stack>
  );
}

function Workflow({ detail, from }: { detail: WorkflowDetail; from: string | undefined }) {
  const { workflow, nodes } = detail;
  const [chosen, setChosen] = useState('');
  const items = useMemo(() => itemsOfWorkflow(nodes), [nodes]);
  const node = nodes.find((each) => each.id === chosen);
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Stack gap={2} className="wf-head">
          <Title order={1} size="h2" className="wf-name">
            <WorkflowName name={workflow.name} />
          </Title>
          <Group gap="md" fz="sm" c="dimmed">
            <code className="wf-name">{workflow.module}</code>
            <LinkAnchor to="/executions" search={{ workflow: workflow.name }} fz="sm">
              Its executions
            </LinkAnchor>
          </Group>
        </Stack>
        <Versions name={workflow.name} version={workflow.version} />
      </Group>
      {workflow.doc && <Text className="wf-doc">{workflow.doc}</Text>}
      <div className="wf-split">
        <Stack>
          <Suspense
            fallback={
              <Group className="graph" justify="center">
                <Loader aria-label="Loading" />
              </Group>
            }
          >
            <Graph items={items} chosen={chosen} onChoose={(id) => setChosen((now) => (now === id ? '' : id))} />
          </Suspense>
          {workflow.dynamic && (
            <Text fz="sm" c="dimmed">
              It has dynamic tasks: they unfold while it runs, and may ask for more.
            </Text>
          )}
          {node && <About node={node} />}
          <Asks detail={detail} />
        </Stack>
        <section className="card wf-card wf-launch" aria-label={from ? 'Relaunch' : 'Launch'}>
          <Launch key={from} workflow={workflow} from={from} />
        </section>
      </div>
    </Stack>
  );
}

function Versions({ name, version }: { name: string; version: string }) {
  const { data } = useQuery(versionsQuery(name));
  const navigate = useNavigate({ from: '/workflows/$name' });
  const all = data?.items ?? [];
  return (
    <NativeSelect
      label="Version"
      value={version}
      onChange={(event) => {
        const next = event.currentTarget.value;
        void navigate({ search: (now) => ({ ...now, version: next }) });
      }}
      data={
        all.length === 0
          ? [{ value: version, label: version }]
          : all.map((each, index) => ({
              value: each.version,
              label: `${each.version}, ${new Date(each.registered).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}${index === 0 ? ' (latest)' : ''}`,
            }))
      }
    />
  );
}

/** What is known of a node before it runs. */
function About({ node }: { node: GraphNodeView }) {
  const rows: [string, string][] = [
    ['Kind', kindWord(node.kind, node.dynamic)],
    ['Runs', node.target],
    ['Retries', node.retries > 0 ? String(node.retries) : ''],
    [node.kind === 'task' ? 'Stopped after' : 'Waits at most', node.timeout === null ? '' : span(node.timeout * 1_000)],
    ['Sleeps', node.duration === null ? '' : span(node.duration * 1_000)],
    ['Asks', node.prompt],
    ['Cases', node.cases.join(' | ')],
  ];
  return (
    <section className="card wf-card" aria-label={`Node ${node.name}`}>
      <Title order={2} size="h4">
        {node.name}
      </Title>
      <table className="wf-table">
        <tbody>
          {rows
            .filter(([, value]) => value !== '')
            .map(([label, value]) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td>{value}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}

/** What it takes, gives and asks for. */
function Asks({ detail }: { detail: WorkflowDetail }) {
  const { signals, inputs } = detail.workflow;
  return (
    <>
      {inputs.length > 0 && (
        <section className="card wf-card">
          <Title order={2} size="h4" mb="xs">
            Inputs
          </Title>
          <table className="wf-table">
            <thead>
              <tr>
                <th>Name</th>
                <th>Type</th>
                <th>Default</th>
              </tr>
            </thead>
            <tbody>
              {inputs.map((each) => (
                <tr key={each.name}>
                  <td>{each.name}</td>
                  <td>{each.expects}</td>
                  <td>{each.default === undefined ? 'required' : JSON.stringify(each.default)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {signals.length > 0 && (
        <section className="card wf-card">
          <Title order={2} size="h4" mb="xs">
            It will ask for
          </Title>
          <table className="wf-table">
            <thead>
              <tr>
                <th>Name</th>
                <th>Kind</th>
                <th>Expects</th>
              </tr>
            </thead>
            <tbody>
              {signals.map((each) => (
                <tr key={each.path}>
                  <td>{each.name}</td>
                  <td>{kindWord(each.kind)}</td>
                  <td>{each.expects}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
