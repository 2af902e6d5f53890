import { expect, test } from 'vitest';
import type { Json } from '../api/json';
import { localSource, typed } from './local';
import type { Query } from './model';

const rows: Json[][] = Array.from({ length: 50 }, (_, n) => [`row ${n}`, n * 1.1, n % 5 === 0 ? null : n, n % 2 === 0]);
const source = localSource(['name', 'amount', 'n', 'even'], rows, []);
const never = new AbortController().signal;

async function names(query: Partial<Query>): Promise<Json[]> {
  const all = { offset: 0, limit: 3, sort: '', filters: [], search: '', columns: [0] };
  return (await source.page({ ...all, ...query }, never)).rows.map(([name]) => name ?? null);
}

test('columns have the type of all their values', () => {
  expect(source.columns.map((each) => each.kind)).toEqual(['text', 'number', 'integer', 'boolean']);
});

test('rows are sorted, filtered and searched over all of them', async () => {
  expect(await names({ sort: '-amount' })).toEqual(['row 49', 'row 48', 'row 47']);
  expect(await names({ sort: '-n', offset: 39 })).toEqual(['row 1', 'row 0', 'row 5']);
  expect(await names({ filters: [{ column: 'n', op: 'missing', value: null }] })).toEqual(['row 0', 'row 5', 'row 10']);
  expect(await names({ filters: [{ column: 'amount', op: 'ge', value: 52.8 }] })).toEqual(['row 48', 'row 49']);
  expect(await names({ search: 'ROW 4' })).toEqual(['row 4', 'row 40', 'row 41']);
  expect(await names({ search: '7' })).toEqual(['row 7', 'row 17', 'row 27']);
});

test('a profile counts every row, and cents add up', async () => {
  const [amount] = await source.profile([1], never);
  const cents = localSource(['a'], [[0.1], [0.2], [0.3], [-0.6]], []);
  const [sum] = await cents.profile([0], never);

  expect([amount?.min, amount?.max, amount?.missing, amount?.distinct]).toEqual([0, 49 * 1.1, 0, 50]);
  expect(amount?.histogram?.counts.reduce((a, b) => a + b)).toBe(50);
  expect([sum?.sum, sum?.negative]).toEqual([expect.closeTo(0, 16), 1]);
});

test('a long cell is cut, and said to be', async () => {
  const long = localSource(['a'], [['x'.repeat(5000)], ['y']], []);
  const query = { offset: 0, limit: 10, sort: '', filters: [], search: '', columns: [0] };

  const page = await long.page(query, never);

  expect(page.cut).toEqual([[0, 0]]);
  expect(String(page.rows[0]?.[0])).toHaveLength(1000);
  expect(String((await long.page({ ...query, limit: 1 }, never)).rows[0]?.[0])).toHaveLength(5000);
});

test('a code with leading zeros stays a text, and what is empty is missing', () => {
  const rows = typed(
    [
      ['0042', '1.50', ''],
      ['7', '-3', 'x'],
    ],
    3,
  );

  expect(rows).toEqual([
    ['0042', 1.5, null],
    ['7', -3, 'x'],
  ]);
});
