import { Button, Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { memo, useMemo, useState } from 'react';
import { kindWord, type Item } from '../../graph/model';
import { PhaseBadge } from '../../graph/phases';
import { Ago, TimeLeft } from '../../show/time';
import { Took } from './Took';

const AT_FIRST = 200;

type Props = {
  items: readonly Item[];
  chosen: string;
  onChoose: (id: string) => void;
  onAnswer: ((id: string) => void) | undefined;
};

/** The graph as a table: the same nodes, in order, what is inside of another below it. */
export function NodeList({ items, chosen, onChoose, onAnswer }: Props) {
  const [shown, setShown] = useState(AT_FIRST);
  const rows = useMemo(() => ordered(items), [items]);
  const names = useMemo(() => new Map(items.map((each) => [each.id, each.name])), [items]);
  if (rows.length === 0) return <Text c="dimmed">This workflow has no nodes.</Text>;
  return (
    <>
      <div className="card ex-scroll" tabIndex={0} role="region" aria-label="Nodes">
        <Table highlightOnHover verticalSpacing="xs" className="ex-nodes">
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
            {rows.slice(0, shown).map(({ item, depth }) => (
              <Line
                key={item.id}
                item={item}
                depth={depth}
                after={item.upstream.map((id) => names.get(id) ?? id).join(', ')}
                isChosen={chosen === item.id}
                onChoose={onChoose}
                onAnswer={onAnswer}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {rows.length > shown && (
        <Button mt="sm" variant="default" onClick={() => setShown((now) => now + AT_FIRST)}>
          Show more ({rows.length - shown} left)
        </Button>
      )}
    </>
  );
}

type LineProps = Pick<Props, 'onChoose' | 'onAnswer'> & { item: Item; depth: number; after: string; isChosen: boolean };

/** Rendered again only when its node has changed. */
const Line = memo(function Line({ item, depth, after, isChosen, onChoose, onAnswer }: LineProps) {
  return (
    <Table.Tr className={isChosen ? 'ex-chosen' : undefined} data-node={item.id} data-phase={item.phase}>
      <Table.Td style={{ paddingInlineStart: 12 + depth * 20 }}>
        <UnstyledButton className="ex-name" onClick={() => onChoose(item.id)} aria-pressed={isChosen}>
          <b>{item.name}</b> <span className="dim">{kindWord(item.kind, item.dynamic)}</span>
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
        {item.phase === 'WAITING' && onAnswer && (
          <Button
            size="compact-sm"
            className="ex-answer"
            onClick={() => onAnswer(item.id)}
            aria-label={`Answer ${item.name}`}
          >
            Answer
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
});

type Row = { item: Item; depth: number };

/** Return the items with what lies in each right below it. */
export function ordered(items: readonly Item[]): Row[] {
  const within = new Map<string, Item[]>();
  for (const each of items) {
    const up = each.branch?.id ?? each.scope;
    const own = within.get(up);
    if (own) own.push(each);
    else within.set(up, [each]);
  }
  const rows: Row[] = [];
  const add = (up: string, depth: number) => {
    for (const item of within.get(up) ?? []) {
      rows.push({ item, depth });
      add(item.id, depth + 1);
    }
  };
  add('', 0);
  return rows;
}
