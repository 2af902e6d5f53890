import { Anchor, Badge, Code, Group, Skeleton, Stack, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useRights } from '../../api/rights';
import type { BrokenView, ExecutionLine, WorkflowView } from '../../api/types';
import { IconHand, IconPlay, IconSearch } from '../../app/icons';
import { summaryQuery } from '../../api/queries';
import { QueryError } from '../../app/PageError';
import { phaseWord } from '../../graph/phases';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { LinkAnchor, LinkButton } from '../links';
import { NeedsRole } from '../NeedsRole';
import { WorkflowName } from '../WorkflowName';
import { workflowsQuery } from '../execution/queries';
import { lookOf } from '../executions/states';
import './workflows.css';

/** Everything that can be launched. */
export function WorkflowsPage() {
  const query = useQuery(workflowsQuery);
  const { operate } = useRights();
  const [text, setText] = useState('');
  const found =
    query.data?.items.filter((each) => `${each.name} ${each.doc}`.toLowerCase().includes(text.toLowerCase())) ?? [];
  return (
    <Stack>
      <div className="pagehead">
        <h1>Workflows</h1>
        <span className="fill" />
        {!operate && <NeedsRole to="launch" />}
      </div>
      {query.data && query.data.items.length > 0 && (
        <TextInput
          data-search
          className="wf-search"
          aria-label="Search workflows"
          placeholder="Name or description"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      {query.data ? (
        <Found
          all={query.data.items.length}
          found={found}
          last={query.data.last ?? {}}
          broken={query.data.broken}
          clear={() => setText('')}
        />
      ) : query.error ? (
        <QueryError error={query.error} retry={() => void query.refetch()} what="The workflows" />
      ) : (
        <Stack gap="xs" aria-busy>
          <VisuallyHidden role="status">Loading</VisuallyHidden>
          {[0, 1, 2].map((each) => (
            <Skeleton key={each} h={76} />
          ))}
        </Stack>
      )}
    </Stack>
  );
}

function Found({
  all,
  found,
  last,
  broken,
  clear,
}: {
  all: number;
  found: WorkflowView[];
  last: Record<string, ExecutionLine>;
  broken: BrokenView[];
  clear: () => void;
}) {
  if (all === 0 && broken.length === 0) {
    return (
      <Stack align="flex-start" gap="xs" className="card" p="lg">
        <Text fw={600}>No workflow is registered yet.</Text>
        <Text>Register all workflows of a file, from a terminal on the server&rsquo;s machine or with a token:</Text>
        <Code block>tidegate register my_file.py</Code>
        <Text c="dimmed">
          They appear here once this window has the focus again.{' '}
          <Code>tidegate run my_file.py my_workflow --detach</Code> registers them and launches one.
        </Text>
      </Stack>
    );
  }
  if (found.length === 0 && all > 0)
    return (
      <Text>
        No workflow matches.{' '}
        <Anchor component="button" type="button" onClick={clear}>
          Clear the search
        </Anchor>
      </Text>
    );
  return (
    <ul className="wf-list">
      {found.map((each) => (
        <Line key={each.name} workflow={each} last={last[each.name]} />
      ))}
      {broken.map((each) => (
        <Broken key={each.name} workflow={each} />
      ))}
    </ul>
  );
}

/** A workflow that cannot be read back, so it cannot be launched. */
function Broken({ workflow }: { workflow: BrokenView }) {
  return (
    <li className="card wf-line">
      <div className="wf-what">
        <Group gap="sm">
          <Text fw={600} className="wf-name">
            {workflow.name}
          </Text>
          <DamagedBadge />
        </Group>
        <Text fz="sm" className="wf-name">
          {workflow.error}
        </Text>
      </div>
    </li>
  );
}

function Line({ workflow, last }: { workflow: WorkflowView; last: ExecutionLine | undefined }) {
  const { name, doc, signals, inputs } = workflow;
  const { operate } = useRights();
  return (
    <li className="card wf-line">
      <div className="wf-what">
        <LinkAnchor to="/workflows/$name" params={{ name }} fw={600} className="wf-name">
          <WorkflowName name={name} />
        </LinkAnchor>
        {doc && <Text fz="sm">{doc.split('\n')[0]}</Text>}
        <Group gap="xs" fz="sm" c="dimmed" mt={4}>
          <span>{inputs.length === 0 ? 'no inputs' : inputs.map((each) => each.name).join(', ')}</span>
          <span>
            registered <Ago at={workflow.registered} />
          </span>
          <LastRun last={last} />
          <Waits name={name} />
          {signals.length > 0 && (
            <Badge variant="outline" className="wf-asks" leftSection={<IconHand size={12} />}>
              asks {signals.length === 1 ? 'once' : `${signals.length} times`}
            </Badge>
          )}
        </Group>
      </div>
      {operate && (
        <LinkButton
          to="/workflows/$name"
          params={{ name }}
          variant="default"
          className="wf-go"
          leftSection={<IconPlay size={16} />}
          aria-label={`Launch ${name}`}
        >
          Launch
        </LinkButton>
      )}
    </li>
  );
}

/** Its newest execution, and how that stands. */
function LastRun({ last }: { last: ExecutionLine | undefined }) {
  if (!last) return <span>never launched</span>;
  return (
    <span>
      last launched <Ago at={last.launched} />:{' '}
      <LinkAnchor to="/executions/$id" params={{ id: last.id }} fz="sm" underline="always">
        {phaseWord(lookOf(last)).toLowerCase()}
      </LinkAnchor>
    </span>
  );
}

/** How many of its questions wait for somebody. */
function Waits({ name }: { name: string }) {
  const { data } = useQuery(summaryQuery);
  const count = data?.workflows.find((each) => each.name === name)?.count ?? 0;
  if (count === 0) return null;
  return (
    <LinkAnchor to="/" search={{ all: true, workflow: name }} fz="sm" fw={600} className="soon">
      {count.toLocaleString()} {count === 1 ? 'question waits' : 'questions wait'}
    </LinkAnchor>
  );
}
