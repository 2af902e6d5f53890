import { Button, Code, Group, Skeleton, Stack, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useFirstRow } from '../../api/search';
import type { ExecutionLine } from '../../api/types';
import { IconPlay } from '../../app/icons';
import { QueryError } from '../../app/PageError';
import type { ExecutionsSearch } from '../../app/router';
import { LinkAnchor, LinkButton } from '../links';
import { executionsQuery } from '../execution/queries';
import { ExecutionRow } from './ExecutionRow';
import { Filters } from './Filters';
import './executions.css';

/** All executions, the newest first; what waits is a phase of its own. */
export function ExecutionsPage() {
  const search = useSearch({ from: '/executions' });
  const { phase, text = '', workflow = '', launched = '' } = search;
  const navigate = useNavigate({ from: '/executions' });
  const change = useCallback(
    (next: ExecutionsSearch) => void navigate({ search: (now) => filled({ ...now, ...next }), replace: true }),
    [navigate],
  );
  const query = useInfiniteQuery(executionsQuery({ phase: phase ? phase.split(',') : [], text, workflow, launched }));
  const isSearching = useFirstRow(query);
  const lines = query.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = [phase, text, workflow, launched].some(Boolean);
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">
          Executions
        </Title>
        <LinkButton to="/workflows" leftSection={<IconPlay size={16} />}>
          Launch
        </LinkButton>
      </Group>
      <Filters search={search} onChange={change} />
      {query.error && (!query.data || isSearching) ? (
        <QueryError error={query.error} retry={() => void query.refetch()} what="The executions" />
      ) : query.isPending || isSearching ? (
        <Waiting />
      ) : lines.length > 0 ? (
        <Lines lines={lines} />
      ) : isFiltered ? (
        <Group>
          <Text>No execution matches.</Text>
          <Button size="compact-sm" variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
            Clear the filters
          </Button>
        </Group>
      ) : (
        <NothingYet />
      )}
      {query.hasNextPage && !isSearching && (
        <Button variant="default" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
          Show older ones
        </Button>
      )}
    </Stack>
  );
}

/** What is empty does not stand in the address. */
function filled(search: ExecutionsSearch): ExecutionsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value));
}

function Lines({ lines }: { lines: ExecutionLine[] }) {
  return (
    <div className="card exs-table">
      <Table highlightOnHover verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Execution</Table.Th>
            <Table.Th>Phase</Table.Th>
            <Table.Th>Waits for</Table.Th>
            <Table.Th>Progress</Table.Th>
            <Table.Th>Launched</Table.Th>
            <Table.Th>Duration</Table.Th>
            <Table.Th>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map((each) => (
            <ExecutionRow key={each.id} line={each} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Waiting() {
  return (
    <Stack gap="xs" aria-busy>
      <VisuallyHidden role="status">Loading</VisuallyHidden>
      {[0, 1, 2, 3].map((each) => (
        <Skeleton key={each} h={44} />
      ))}
    </Stack>
  );
}

function NothingYet() {
  return (
    <Stack align="flex-start" gap="xs" className="card" p="lg">
      <Text fw={600}>Nothing has been launched yet.</Text>
      <Text>
        <LinkAnchor to="/workflows">Choose a workflow</LinkAnchor> and launch it here, or from a terminal:
      </Text>
      <Code block>tidegate run my_file.py my_workflow --detach</Code>
      <Text c="dimmed">New executions appear here automatically.</Text>
    </Stack>
  );
}
