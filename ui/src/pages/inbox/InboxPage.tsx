import { Button, Loader, Stack, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { rememberOrder } from '../../answer/order';
import { entryKey, inboxQuery, taskId } from '../../api/queries';
import { useFirstRow } from '../../api/search';
import type { WaitingView } from '../../api/types';
import { useKeys } from '../../app/keys';
import { QueryError } from '../../app/PageError';
import { BulkBar } from './BulkBar';
import { Filters, NO_FILTER, type Filter } from './Filters';
import './inbox.css';
import { RequestList, type ListHandle } from './RequestList';

const SOON_MS = 3_600_000;
const FOCUS_BACK_MS = 50;

export function InboxPage() {
  const navigate = useNavigate();
  const { task } = useSearch({ from: '__root__' });
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [text] = useDebouncedValue(filter.text.trim(), 200);
  const query = useInfiniteQuery(
    inboxQuery({
      ...(filter.kind ? { kind: filter.kind } : {}),
      ...(filter.workflow ? { workflow: filter.workflow } : {}),
      ...(text ? { text } : {}),
    }),
  );
  const isSearching = useFirstRow(query);
  const items = useMemo(
    () => shownOf(query.data?.pages.flatMap((page) => page.items) ?? [], filter.soon),
    [query.data, filter.soon],
  );
  const [selected, setSelected] = useState<ReadonlyMap<string, WaitingView>>(new Map());
  const list = useRef<ListHandle>(null);

  useEffect(() => rememberOrder(items.map(taskId)), [items]);
  const toggle = (view: WaitingView) =>
    setSelected((old) => {
      const next = new Map(old);
      if (!next.delete(entryKey(view)) && isSelectable(view)) next.set(entryKey(view), view);
      return next;
    });
  useKeys(
    {
      j: () => list.current?.move(1),
      k: () => list.current?.move(-1),
      ArrowDown: () => list.current?.move(1),
      ArrowUp: () => list.current?.move(-1),
      x: () => {
        const view = list.current?.current();
        if (view) toggle(view);
      },
    },
    task === undefined,
  );

  // What had the focus may be gone with the answer: then the one that has taken its place has it.
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && task === undefined)
      window.setTimeout(() => {
        if (document.activeElement === document.body) list.current?.move(0);
      }, FOCUS_BACK_MS);
    wasOpen.current = task !== undefined;
  }, [task]);

  const isFiltered =
    filter !== NO_FILTER && (text !== '' || filter.kind !== '' || filter.workflow !== '' || filter.soon);
  const approvals = items.filter(isSelectable);
  return (
    <Stack gap="md">
      <Title order={1} size="h2">
        Inbox
      </Title>
      <Filters filter={filter} onChange={setFilter} onDown={() => list.current?.move(0)} items={items} />
      <BulkBar
        selected={selected}
        approvals={approvals}
        onSelect={(views) => setSelected(new Map(views.map((each) => [entryKey(each), each])))}
      />
      {(query.isPending || (isSearching && !query.error)) && <Loader aria-label="Loading" />}
      {query.error && (!query.data || isSearching) && (
        <QueryError error={query.error} retry={() => void query.refetch()} what="The inbox" />
      )}
      {query.data && items.length > 0 && (
        <RequestList
          ref={list}
          items={items}
          selected={selected}
          onToggle={toggle}
          onOpen={(id) => void navigate({ to: '.', search: { task: id } })}
          onEnd={() => {
            if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
          }}
        />
      )}
      {query.isFetchingNextPage && !isSearching && <Loader size="sm" aria-label="Loading more" />}
      {query.data &&
        items.length === 0 &&
        !isSearching &&
        (isFiltered ? <NoMatch onClear={() => setFilter(NO_FILTER)} /> : <Empty />)}
    </Stack>
  );
}

/** Many can be decided at once only where the answer is yes or no. */
function isSelectable({ kind, damaged }: WaitingView): boolean {
  return kind === 'approve' && !damaged;
}

function shownOf(items: WaitingView[], soon: boolean): WaitingView[] {
  if (!soon) return items;
  const limit = Date.now() + SOON_MS;
  return items.filter((each) => each.due !== null && new Date(each.due).getTime() < limit);
}

function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Stack className="card" align="center" p="xl" gap="sm">
      <Text fw={600} size="lg">
        No request matches
      </Text>
      <Button variant="default" onClick={onClear}>
        Clear the filters
      </Button>
    </Stack>
  );
}

function Empty() {
  return (
    <Stack className="card" align="center" p="xl" gap={6}>
      <Text fw={600} size="lg">
        Nothing waits for a person
      </Text>
      <Text c="dimmed" ta="center">
        New requests appear here automatically. A workflow asks with <code>wait_for_input</code> and{' '}
        <code>approve</code>; start one under Workflows.
      </Text>
    </Stack>
  );
}
