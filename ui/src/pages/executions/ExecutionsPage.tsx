import { Button, Checkbox, Code, Group, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { mayOperate, useRights } from '../../api/rights';
import { useFirstRow } from '../../api/search';
import { sessionQuery } from '../../api/session';
import type { ExecutionLine } from '../../api/types';
import { IconPlay } from '../../app/icons';
import { QueryError } from '../../app/PageError';
import { SavedViews } from '../../app/SavedViews';
import { useKeys } from '../../app/keys';
import type { ExecutionsSearch } from '../../app/router';
import { LinkAnchor, LinkButton } from '../links';
import { NeedsRole } from '../NeedsRole';
import { executionsQuery } from '../execution/queries';
import { ExecutionRow } from './ExecutionRow';
import { Filters } from './Filters';
import { canAct, Many, type Act } from './Many';
import { asked, isAlike } from './states';
import './executions.css';

/** All executions, the newest first; what waits is a phase of its own. */
export function ExecutionsPage() {
  const search = useSearch({ from: '/executions' });
  const { phase, end, text = '', workflow = '', launched = '' } = search;
  const navigate = useNavigate({ from: '/executions' });
  const change = useCallback(
    (next: ExecutionsSearch) => void navigate({ search: (now) => filled({ ...now, ...next }), replace: true }),
    [navigate],
  );
  const query = useInfiniteQuery(executionsQuery({ ...asked(search), text, workflow, launched }));
  const isSearching = useFirstRow(query);
  const lines = query.data?.pages.flatMap((page) => page.items) ?? [];
  const { operate } = useRights();
  const isFiltered = [phase, end, text, workflow, launched].some(Boolean);
  return (
    <div className="exs">
      <div className="pagehead">
        <h1>Executions</h1>
        <span className="fill" />
        <SavedViews place="executions" />
        {operate ? (
          <LinkButton to="/workflows" leftSection={<IconPlay size={16} />}>
            Launch
          </LinkButton>
        ) : (
          <NeedsRole to="launch, recover or terminate" />
        )}
      </div>
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
    </div>
  );
}

/** What is empty does not stand in the address. */
function filled(search: ExecutionsSearch): ExecutionsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value));
}

function Lines({ lines }: { lines: ExecutionLine[] }) {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [act, setAct] = useState<Act>();
  const selected = useMemo(() => lines.filter((each) => picked.has(each.id)), [lines, picked]);
  const grants = useQuery(sessionQuery).data?.grants ?? [];
  const mine = lines.filter((each) => mayOperate(grants, each));
  const toggle = useCallback(
    ({ id }: ExecutionLine) =>
      setPicked((old) => {
        const next = new Set(old);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [],
  );
  useKeys({ Escape: () => setPicked(new Set()) }, act === undefined && picked.size > 0);
  const isAll = selected.length === mine.length;
  return (
    <>
      <div className="card exs-table">
        <table>
          <thead>
            <tr>
              <th className="exs-pick">
                {mine.length > 0 && (
                  <Checkbox
                    size="sm"
                    aria-label="Select all that are shown"
                    checked={isAll}
                    indeterminate={!isAll && selected.length > 0}
                    onChange={() => setPicked(new Set(isAll ? [] : mine.map((each) => each.id)))}
                  />
                )}
              </th>
              <th>Execution</th>
              <th>State</th>
              <th>Why, or what it waits for</th>
              <th>Launched</th>
              <th className="exs-took">Took</th>
              <th>
                <VisuallyHidden>Actions</VisuallyHidden>
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((each) => (
              <ExecutionRow key={each.id} line={each} isSelected={picked.has(each.id)} onToggle={toggle} />
            ))}
          </tbody>
        </table>
      </div>
      {selected.length > 0 && act === undefined && (
        <Acts
          selected={selected}
          alike={alikeOf(selected, mine)}
          onSelect={(more) => setPicked(new Set([...picked, ...more.map((each) => each.id)]))}
          onAct={setAct}
          onClear={() => setPicked(new Set())}
        />
      )}
      {act && (
        <Many
          act={act}
          lines={selected}
          onClose={(done) => {
            const gone = new Set(done);
            setPicked(new Set([...picked].filter((each) => !gone.has(each))));
            setAct(undefined);
          }}
        />
      )}
    </>
  );
}

/** Those that are shown and ended like all that are selected. */
function alikeOf(selected: readonly ExecutionLine[], lines: readonly ExecutionLine[]): ExecutionLine[] {
  const [first] = selected;
  if (!first || !selected.every((each) => isAlike(first, each))) return [];
  return lines.filter((each) => isAlike(first, each));
}

const ACTS = [
  ['recover', 'Recover…'],
  ['relaunch', 'Relaunch…'],
  ['terminate', 'Terminate…'],
] as const;

type ActsProps = {
  selected: ExecutionLine[];
  alike: ExecutionLine[];
  onSelect: (more: ExecutionLine[]) => void;
  onAct: (act: Act) => void;
  onClear: () => void;
};

function Acts({ selected, alike, onSelect, onAct, onClear }: ActsProps) {
  return (
    <div className="floating" role="region" aria-label="Selection">
      <b>{selected.length} selected</b>
      {alike.length > selected.length && (
        <Button variant="subtle" size="xs" onClick={() => onSelect(alike)}>
          Select all {alike.length} with this reason
        </Button>
      )}
      <span className="rule" />
      {ACTS.map(([each, word]) => (
        <Button
          key={each}
          variant={each === 'recover' ? 'filled' : 'default'}
          className={each === 'terminate' ? 'reject' : undefined}
          disabled={!selected.some((line) => canAct(each, line))}
          onClick={() => onAct(each)}
        >
          {word}
        </Button>
      ))}
      <Button variant="subtle" onClick={onClear} rightSection={<kbd className="kbd">Esc</kbd>}>
        Clear
      </Button>
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
  const { operate } = useRights();
  return (
    <Stack align="flex-start" gap="xs" className="card" p="lg">
      <Text fw={600}>Nothing has been launched yet.</Text>
      {operate && (
        <>
          <Text>
            <LinkAnchor to="/workflows">Choose a workflow</LinkAnchor> and launch it here, or from a terminal:
          </Text>
          <Code block>tidegate run my_file.py my_workflow --detach</Code>
        </>
      )}
      <Text c="dimmed">New executions appear here automatically.</Text>
    </Stack>
  );
}
