import { Button, Table, Text, TextInput, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { memo, useCallback, useDeferredValue, useMemo, useState } from 'react';
import { IconChevron, IconSearch } from '../../app/icons';
import { kindWord, type Item } from '../../graph/model';
import { PhaseBadge } from '../../graph/phases';
import { asksNow } from '../../graph/states';
import { Ago, TimeLeft } from '../../show/time';
import { matching, rowsOf } from './rows';
import { Took } from './Took';
import { verbOf } from './WaitingBar';

const AT_FIRST = 100;
const MORE = 200;
/** Deeper rows are not moved further in: there would be no room for the rest. */
const DEEPEST = 8;
const INDENT = 18;

type Props = {
  items: readonly Item[];
  chosen: string;
  onChoose: (id: string) => void;
  onAnswer: ((id: string) => void) | undefined;
};

/** The graph as a table: the same nodes, in order, what is inside of another below it, and what is alike as one row that unfolds. */
export function NodeList({ items, chosen, onChoose, onAnswer }: Props) {
  const [shown, setShown] = useState(AT_FIRST);
  const [wanted, setWanted] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const text = useDeferredValue(wanted);
  const rows = useMemo(() => (text.trim() === '' ? rowsOf(items, open) : matching(items, text)), [items, open, text]);
  const names = useMemo(
    () => new Map([...items, ...rows.map(({ item }) => item)].map((each) => [each.id, each.name])),
    [items, rows],
  );
  const toggle = useCallback(
    (id: string) => setOpen((now) => new Set(now.has(id) ? [...now].filter((each) => each !== id) : [...now, id])),
    [],
  );
  if (items.length === 0) return <Text c="dimmed">This workflow has no nodes.</Text>;
  return (
    <>
      <div className="ex-tools">
        <TextInput
          size="xs"
          type="search"
          data-search
          className="ex-find"
          aria-label="Find a node"
          placeholder="Find a node"
          leftSection={<IconSearch size={14} />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <span className="dim ex-log-count" role="status">
          {text.trim() !== '' && (rows.length === 0 ? 'No node matches' : `${rows.length.toLocaleString()} match`)}
        </span>
      </div>
      <div className="ex-scroll" tabIndex={0} role="region" aria-label="Nodes">
        <Table highlightOnHover className="ex-nodes">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Node</Table.Th>
              <Table.Th>Phase</Table.Th>
              <Table.Th>Began</Table.Th>
              <Table.Th>Took</Table.Th>
              <Table.Th>After</Table.Th>
              <Table.Th>
                <VisuallyHidden>Action</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.slice(0, shown).map(({ item, depth, members }) => (
              <Line
                key={item.id}
                item={item}
                depth={depth}
                members={members.length}
                isOpen={open.has(item.id)}
                after={afterOf(item, names)}
                isChosen={chosen === item.id}
                onChoose={item.kind === 'group' ? toggle : onChoose}
                onAnswer={onAnswer}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {rows.length > shown && (
        <Button m="sm" size="compact-sm" variant="default" onClick={() => setShown((now) => now + MORE)}>
          Show more ({(rows.length - shown).toLocaleString()} left)
        </Button>
      )}
    </>
  );
}

const MOST_NAMES = 3;

/** What an item comes after, by name. */
function afterOf(item: Item, names: ReadonlyMap<string, string>): string {
  const all = [...new Set(item.upstream.map((id) => names.get(id) ?? id))];
  const more = all.length > MOST_NAMES ? ` and ${all.length - MOST_NAMES} more` : '';
  return all.slice(0, MOST_NAMES).join(', ') + more;
}

type LineProps = Pick<Props, 'onChoose' | 'onAnswer'> & {
  item: Item;
  depth: number;
  members: number;
  isOpen: boolean;
  after: string;
  isChosen: boolean;
};

/** Rendered again only when its node has changed. */
const Line = memo(function Line({ item, depth, members, isOpen, after, isChosen, onChoose, onAnswer }: LineProps) {
  return (
    <Table.Tr className={isChosen ? 'ex-chosen' : undefined} data-node={item.id} data-phase={item.phase}>
      <Table.Td style={{ paddingInlineStart: 12 + Math.min(depth, DEEPEST) * INDENT }}>
        <UnstyledButton
          className="ex-name"
          onClick={() => onChoose(item.id)}
          {...(members > 0 ? { 'aria-expanded': isOpen } : { 'aria-pressed': isChosen })}
        >
          {members > 0 && <IconChevron size={14} className={isOpen ? 'ex-open' : undefined} />}
          {depth > DEEPEST && <span className="dim">{depth} deep</span>}
          <b dir="auto">{item.name}</b>{' '}
          <span className="dim">
            {kindWord(item.kind, item.dynamic)}
            {item.node && item.node.round > 1 && `, round ${item.node.round}`}
          </span>
        </UnstyledButton>
      </Table.Td>
      <Table.Td>
        <PhaseBadge phase={item.phase} />
      </Table.Td>
      <Table.Td>{item.node?.began ? <Ago at={item.node.began} /> : <span className="dim">–</span>}</Table.Td>
      <Table.Td>
        {item.phase === 'SLEEPING' && item.node?.due ? (
          <TimeLeft due={item.node.due} />
        ) : (
          <Took from={item.node?.began ?? null} to={item.node?.ended ?? null} />
        )}
      </Table.Td>
      <Table.Td className="dim ex-after">{after}</Table.Td>
      <Table.Td>
        {asksNow(item) && onAnswer && (
          <Button
            size="compact-sm"
            className="ex-answer"
            onClick={() => onAnswer(item.id)}
            aria-label={`${verbOf(item.kind)} ${item.name}`}
          >
            {verbOf(item.kind)}
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
});
