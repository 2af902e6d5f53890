import { Button, Loader, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { isObject } from '../../api/json';
import type { EventView, ExecutionView } from '../../api/types';
import { IconSearch } from '../../app/icons';
import { QueryError } from '../../app/PageError';
import { brief } from '../../show/brief';
import { exact } from '../../show/time';
import { historyQuery, LONGEST_HISTORY } from './queries';
import { sentenceOf } from './sentences';

const AT_FIRST = 200;

/** All that has happened, the newest first. */
export function HistoryTab({ execution, choose }: { execution: ExecutionView; choose: (node: string) => void }) {
  const history = useQuery(historyQuery(execution));
  const [wanted, setWanted] = useState('');
  const [shown, setShown] = useState(AT_FIRST);
  const names = useMemo(() => new Map(execution.nodes.map((each) => [each.id, each.name])), [execution.nodes]);
  const rows = useMemo(() => {
    const low = wanted.toLowerCase();
    const text = (event: EventView) =>
      `${event.seq} ${event.kind} ${sentenceOf(event, names)} ${nodeOf(event)}`.toLowerCase();
    return (history.data ?? []).filter((each) => low === '' || text(each).includes(low)).reverse();
  }, [history.data, names, wanted]);
  if (history.error)
    return <QueryError error={history.error} retry={() => void history.refetch()} what="The history" />;
  if (!history.data) return <Loader aria-label="Loading the history" />;
  return (
    <>
      <TextInput
        size="xs"
        type="search"
        className="ex-log-of"
        aria-label="Search the history"
        placeholder="Search"
        leftSection={<IconSearch size={13} />}
        value={wanted}
        onChange={(event) => setWanted(event.currentTarget.value)}
      />
      {history.data.length >= LONGEST_HISTORY && (
        <Text c="dimmed" fz="sm" mt="xs">
          The first {LONGEST_HISTORY.toLocaleString()} of {execution.seq.toLocaleString()} events.
        </Text>
      )}
      <div className="ex-scroll" tabIndex={0} role="region" aria-label="History">
        <Table className="ex-history" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>No.</Table.Th>
              <Table.Th>When</Table.Th>
              <Table.Th>What</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.slice(0, shown).map((event) => (
              <Table.Tr key={event.seq}>
                <Table.Td className="dim">{event.seq}</Table.Td>
                <Table.Td className="dim">{exact(new Date(event.at))}</Table.Td>
                <Table.Td>
                  <Happened event={event} names={names} choose={choose} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {rows.length === 0 && <Text c="dimmed">No event matches.</Text>}
      {rows.length > shown && (
        <Button mt="sm" size="compact-sm" variant="default" onClick={() => setShown((now) => now + AT_FIRST)}>
          Show more ({(rows.length - shown).toLocaleString()} left)
        </Button>
      )}
    </>
  );
}

function nodeOf({ details }: EventView): string {
  return typeof details.node === 'string' ? details.node : '';
}

function Happened({
  event,
  names,
  choose,
}: {
  event: EventView;
  names: ReadonlyMap<string, string>;
  choose: (node: string) => void;
}) {
  const node = nodeOf(event);
  const { changes, ...rest } = event.details;
  const more = isObject(changes) ? Object.keys(changes).length : 0;
  return (
    <details>
      <summary>{sentenceOf(event, names)}</summary>
      <div className="ex-event">
        {names.has(node) && (
          <Button size="compact-xs" variant="default" onClick={() => choose(node)}>
            Show {names.get(node)}
          </Button>
        )}
        <dl className="ex-kv">
          {Object.entries({ kind: event.kind, ...rest }).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{brief(value, 2_000)}</dd>
            </div>
          ))}
          {more > 0 && (
            <div>
              <dt>changes</dt>
              <dd>{brief(changes ?? null, 2_000)}</dd>
            </div>
          )}
        </dl>
      </div>
    </details>
  );
}
