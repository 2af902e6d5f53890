/** One more condition on the rows: a column, how it is compared, and with what. */
import { Button, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { filterValue, OPS, opsOf, type Column, type Filter, type Op } from './model';

export function FilterForm({ columns, onAdd }: { columns: readonly Column[]; onAdd: (filter: Filter) => void }) {
  const [position, setPosition] = useState(columns[0]?.position ?? 0);
  const column = columns[position];
  const kind = column?.kind ?? 'text';
  const ops = opsOf(kind);
  const [op, setOp] = useState<Op>(ops[0] ?? 'eq');
  const chosen = ops.includes(op) ? op : (ops[0] ?? 'eq');
  const [text, setText] = useState('');
  const needsValue = chosen !== 'missing' && chosen !== 'present';
  const value = filterValue(kind, chosen, kind === 'boolean' && text === '' ? 'yes' : text);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        if (value !== undefined && column) onAdd({ column: column.name, op: chosen, value });
      }}
    >
      <Stack gap={8} w={240}>
        <NativeSelect
          size="xs"
          label="Column"
          data-mantine-stop-propagation
          value={String(position)}
          onChange={(event) => setPosition(Number(event.currentTarget.value))}
          data={columns.map((each) => ({ value: String(each.position), label: each.name || 'no name' }))}
        />
        <NativeSelect
          size="xs"
          label="Condition"
          data-mantine-stop-propagation
          value={chosen}
          onChange={(event) => setOp(event.currentTarget.value as Op)}
          data={ops.map((each) => ({ value: each, label: OPS[each] }))}
        />
        {needsValue &&
          (kind === 'boolean' ? (
            <NativeSelect
              size="xs"
              label="Value"
              data-mantine-stop-propagation
              value={text || 'yes'}
              onChange={(event) => setText(event.currentTarget.value)}
              data={['yes', 'no']}
            />
          ) : (
            <TextInput
              size="xs"
              label="Value"
              data-mantine-stop-propagation
              type={kind === 'date' ? 'date' : 'text'}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          ))}
        <Button size="xs" type="submit" disabled={value === undefined} data-mantine-stop-propagation>
          Show these rows
        </Button>
      </Stack>
    </form>
  );
}
