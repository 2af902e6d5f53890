import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

export type Cell = { shown: ReactNode; isNumber: boolean };

const WIDTH_PX = 100;
const WIDEST_PX = 900;

/** A table that scrolls in itself, by the keyboard too. */
export function Grid({ columns, rows }: { columns: string[] | undefined; rows: Cell[][] }) {
  const many = columns?.length ?? rows[0]?.length ?? 0;
  return (
    <Table.ScrollContainer
      minWidth={Math.min(many * WIDTH_PX, WIDEST_PX)}
      maxHeight={420}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, role: 'region', 'aria-label': 'Table' } }}
    >
      <Table striped stickyHeader fz="sm" className="grid">
        {columns && (
          <Table.Thead>
            <Table.Tr>
              {columns.map((each, index) => (
                <Table.Th key={index} className={rows[0]?.[index]?.isNumber ? 'right' : undefined}>
                  {each}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
        )}
        <Table.Tbody>
          {rows.map((row, at) => (
            <Table.Tr key={at}>
              {row.map((each, index) => (
                <Table.Td key={index} className={each.isNumber ? 'right' : undefined}>
                  {each.shown}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
