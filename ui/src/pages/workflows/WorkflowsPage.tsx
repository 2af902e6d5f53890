import { Anchor, Badge, Code, Group, Skeleton, Stack, Text, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { BrokenView, WorkflowView } from '../../api/types';
import { IconHand, IconPlay, IconSearch } from '../../app/icons';
import { QueryError } from '../../app/PageError';
import { DamagedBadge } from '../../show/DamagedBadge';
import { Ago } from '../../show/time';
import { LinkAnchor, LinkButton } from '../links';
import { WorkflowName } from '../WorkflowName';
import { workflowsQuery } from '../execution/queries';
import './workflows.css';

/** Everything that can be launched. */
export function WorkflowsPage() {
  const query = useQuery(workflowsQuery);
  const [text, setText] = useState('');
  const found =
    query.data?.items.filter((each) => `${each.name} ${each.doc}`.toLowerCase().includes(text.toLowerCase())) ?? [];
  return (
    <Stack>
      <Title order={1} size="h2">
        Workflows
      </Title>
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
        <Found all={query.data.items.length} found={found} broken={query.data.broken} clear={() => setText('')} />
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
  broken,
  clear,
}: {
  all: number;
  found: WorkflowView[];
  broken: BrokenView[];
  clear: () => void;
}) {
  if (all === 0 && broken.length === 0) {
    return (
      <Stack align="flex-start" gap="xs" className="card" p="lg">
        <Text fw={600}>No workflow is registered yet.</Text>
        <Text>A workflow is registered when it is launched from its file:</Text>
        <Code block>tidegate run my_file.py my_workflow --detach</Code>
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
        <Line key={each.name} workflow={each} />
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

function Line({ workflow }: { workflow: WorkflowView }) {
  const { name, doc, signals, inputs } = workflow;
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
          {signals.length > 0 && (
            <Badge variant="outline" className="wf-asks" leftSection={<IconHand size={12} />}>
              asks {signals.length === 1 ? 'once' : `${signals.length} times`}
            </Badge>
          )}
        </Group>
      </div>
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
    </li>
  );
}
