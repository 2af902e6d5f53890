import { Anchor, Button, Chip, Code, Group, Skeleton, Stack, Table, Text, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { ExecutionLine } from '../../api/types';
import { IconPlay, IconSearch, IconX } from '../../app/icons';
import { useKeys } from '../../app/keys';
import { QueryError } from '../../app/PageError';
import { EXECUTION_PHASES, PhaseIcon, phaseWord } from '../../graph/phases';
import { LinkAnchor, LinkButton } from '../links';
import { executionsQuery } from '../execution/queries';
import { ExecutionRow } from './ExecutionRow';
import './executions.css';

const TYPING_MS = 200;

/** All executions, the newest first; what waits for a person is a phase of its own. */
export function ExecutionsPage() {
  const { phase, text = '', workflow = '' } = useSearch({ from: '/executions' });
  const navigate = useNavigate({ from: '/executions' });
  const phases = phase?.split(',') ?? [];
  const [typed, setTyped] = useState(text);
  const [settled] = useDebouncedValue(typed, TYPING_MS);
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.focus() });
  useEffect(() => {
    if (settled !== text) void navigate({ search: (now) => ({ ...now, text: settled || undefined }), replace: true });
    // Only what is typed moves the address; the address moves nothing back.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  const query = useInfiniteQuery(executionsQuery({ phase: phases, text, workflow }));
  const lines = query.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = phases.length > 0 || text !== '' || workflow !== '';
  const clear = () => {
    setTyped('');
    void navigate({ search: {}, replace: true });
  };
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">Executions</Title>
        <LinkButton to="/workflows" leftSection={<IconPlay size={16} />}>Launch</LinkButton>
      </Group>
      <Group gap="sm">
        <TextInput ref={field} className="exs-search" aria-label="Search by id or workflow" placeholder="Id or workflow" leftSection={<IconSearch size={16} />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <Chip.Group multiple value={phases} onChange={(next) => void navigate({ search: (now) => ({ ...now, phase: next.join(',') || undefined }), replace: true })}>
          <Group gap={6} role="group" aria-label="Phases">
            {EXECUTION_PHASES.map((each) => <Chip key={each} value={each} size="sm" variant="outline" className={`exs-chip phase-${each}`}><PhaseIcon phase={each} size={14} />{phaseWord(each)}</Chip>)}
          </Group>
        </Chip.Group>
        {workflow && <Button variant="default" size="compact-md" rightSection={<IconX size={14} />} onClick={() => void navigate({ search: (now) => ({ ...now, workflow: undefined }), replace: true })} aria-label={`Show all workflows, not only ${workflow}`}>{workflow}</Button>}
      </Group>
      {query.error && !query.data ? <QueryError error={query.error} retry={() => void query.refetch()} what="The executions" />
        : query.isPending ? <Waiting />
          : lines.length > 0 ? <Lines lines={lines} />
            : isFiltered ? <Text>No execution matches. <Anchor component="button" type="button" onClick={clear}>Clear filters</Anchor></Text>
              : <NothingYet />}
      {query.hasNextPage && <Button variant="default" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>Show older ones</Button>}
    </Stack>
  );
}

function Lines({ lines }: { lines: ExecutionLine[] }) {
  return (
    <div className="card exs-table">
      <Table highlightOnHover verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Execution</Table.Th><Table.Th>Phase</Table.Th><Table.Th>Waits for</Table.Th><Table.Th>Progress</Table.Th><Table.Th>Launched</Table.Th><Table.Th>Duration</Table.Th>
            <Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{lines.map((each) => <ExecutionRow key={each.id} line={each} />)}</Table.Tbody>
      </Table>
    </div>
  );
}

function Waiting() {
  return <Stack gap="xs" aria-busy><VisuallyHidden role="status">Loading</VisuallyHidden>{[0, 1, 2, 3].map((each) => <Skeleton key={each} h={44} />)}</Stack>;
}

function NothingYet() {
  return (
    <Stack align="flex-start" gap="xs" className="card" p="lg">
      <Text fw={600}>Nothing has been launched yet.</Text>
      <Text><LinkAnchor to="/workflows">Choose a workflow</LinkAnchor> and launch it here, or from a terminal:</Text>
      <Code block>tidegate run my_file.py my_workflow --detach</Code>
      <Text c="dimmed">New executions show up here by themselves.</Text>
    </Stack>
  );
}
