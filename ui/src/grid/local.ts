/** Rows that are in the page already: sorted, filtered, searched and profiled here as the server would. */
import { isBig, writeJson, type Json } from '../api/json';
import {
  isNumeric,
  isOrdered,
  type Column,
  type Filter,
  type Kind,
  type Page,
  type Profile,
  type Source,
} from './model';

type Row = readonly Json[];

const BARS = 24;
const TOP = 8;
const DAY = /^\d{4}-\d\d-\d\d$/;
const FLOATS = new Set(['NaN', 'Infinity', '-Infinity']);

/** Characters of a cell. */
const LONG = 1_000;

export function localSource(names: readonly string[], rows: readonly Row[], key: readonly Json[]): Source {
  const columns = names.map((name, position): Column => ({ name, position, kind: kindOf(rows, position) }));
  let last: { asked: string; found: readonly Row[] } | undefined;
  const chosen = (sort: string, filters: readonly Filter[], search: string) => {
    const asked = JSON.stringify([sort, filters, search]);
    if (last?.asked !== asked) last = { asked, found: sorted(matching(rows, columns, filters, search), columns, sort) };
    return last.found;
  };
  return {
    key,
    columns,
    total: rows.length,
    digest: '',
    page: ({ offset, limit, sort, filters, search, columns: positions }) => {
      const found = chosen(sort, filters, search);
      const cut: number[][] = [];
      const page = found.slice(offset, offset + limit).map((row, at) =>
        positions.map((position, index) => {
          const value = plain(row[position]);
          if (typeof value !== 'string' || value.length <= LONG || limit < 2) return value;
          cut.push([at, index]);
          return value.slice(0, LONG);
        }),
      );
      return Promise.resolve<Page>({
        columns: positions.flatMap((position) => columns[position] ?? []),
        rows: page,
        total: rows.length,
        matching: found.length,
        cut,
      });
    },
    profile: (positions) =>
      Promise.resolve(positions.flatMap((position) => (columns[position] ? [profileOf(rows, columns[position])] : []))),
  };
}

/** A cell as it is compared and shown: what is not a number, a yes or a text is its JSON. */
function plain(value: Json | undefined): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object' && !isBig(value)) return writeJson(value);
  return value;
}

export function kindOf(rows: readonly Row[], position: number): Kind {
  const kinds = new Set<Kind>();
  for (const row of rows) {
    const value = plain(row[position]);
    if (value === null) continue;
    if (typeof value === 'boolean') kinds.add('boolean');
    else if (isBig(value) || (typeof value === 'number' && Number.isInteger(value))) kinds.add('integer');
    else if (typeof value === 'number' || FLOATS.has(value as string)) kinds.add('number');
    else kinds.add(DAY.test(value as string) ? 'date' : 'text');
  }
  if (kinds.size === 2 && kinds.has('integer') && kinds.has('number')) return 'number';
  const [only] = kinds;
  return kinds.size === 1 && only ? only : 'text';
}

const WRITTEN = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** Rows of text, in which the columns of numbers are numbers: those where each text is what a number is written as. `0042` is not. */
export function typed(rows: readonly Row[], wide: number): readonly Row[] {
  const isOf = Array.from({ length: wide }, (_, at) => {
    const texts = rows.map((row) => row[at] ?? '').filter((each) => each !== '');
    return (
      texts.length > 0 &&
      texts.every((each) => WRITTEN.test(String(each)) && Number.isSafeInteger(Math.trunc(Number(each))))
    );
  });
  return rows.map((row) =>
    Array.from({ length: wide }, (_, at) => {
      const text = row[at] ?? '';
      return text === '' ? null : isOf[at] ? Number(text) : text;
    }),
  );
}

/** The number that a cell of a column of numbers stands for. */
function numberOf(value: Json): number {
  return isBig(value) ? Number(value.rawJSON) : Number(value);
}

function compare(kind: Kind, one: Json, other: Json): number {
  if (isNumeric(kind)) return numberOf(one) - numberOf(other);
  if (kind === 'boolean') return Number(one) - Number(other);
  const [a, b] = [text(one), text(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function text(value: Json): string {
  return isBig(value) ? value.rawJSON : String(value);
}

function sorted(rows: readonly Row[], columns: readonly Column[], sort: string): readonly Row[] {
  const exact = columns.find((each) => each.name === sort);
  const column = exact ?? columns.find((each) => `-${each.name}` === sort);
  if (!column) return rows;
  const sign = exact ? 1 : -1;
  return [...rows].sort((one, other) => {
    const [a, b] = [plain(one[column.position]), plain(other[column.position])];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    return sign * compare(column.kind, a, b);
  });
}

function matching(
  rows: readonly Row[],
  columns: readonly Column[],
  filters: readonly Filter[],
  search: string,
): readonly Row[] {
  const wanted = search.toLowerCase();
  const tests = filters.flatMap((filter) => {
    const column = columns.find((each) => each.name === filter.column);
    return column ? [(row: Row) => meets(column.kind, plain(row[column.position]), filter)] : [];
  });
  if (tests.length === 0 && wanted === '') return rows;
  return rows.filter(
    (row) =>
      tests.every((test) => test(row)) &&
      (wanted === '' || columns.some((column) => contains(column.kind, plain(row[column.position]), wanted))),
  );
}

function contains(kind: Kind, value: Json, wanted: string): boolean {
  if (value === null || kind === 'boolean') return false;
  if (isNumeric(kind)) return wanted.trim() !== '' && numberOf(value) === Number(wanted);
  return kind === 'date' ? text(value).startsWith(wanted) : text(value).toLowerCase().includes(wanted);
}

function meets(kind: Kind, value: Json, { op, value: given }: Filter): boolean {
  if (op === 'missing') return value === null;
  if (value === null) return false;
  if (op === 'present') return true;
  if (op === 'contains') return text(value).toLowerCase().includes(String(given).toLowerCase());
  const order = compare(kind, value, given);
  switch (op) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
  }
}

export function profileOf(rows: readonly Row[], column: Column): Profile {
  const values = rows.map((row) => plain(row[column.position])).filter((each) => each !== null);
  const counts = new Map<string, [value: Json, many: number]>();
  for (const value of values) {
    const known = counts.get(text(value));
    if (known) known[1] += 1;
    else counts.set(text(value), [value, 1]);
  }
  const facts = {
    position: column.position,
    missing: rows.length - values.length,
    distinct: counts.size,
    exact: true,
    min: null,
    max: null,
    sum: null,
    mean: null,
    median: null,
    negative: null,
    top: null,
    histogram: null,
  };
  if (isNumeric(column.kind)) return { ...facts, ...numbers(values.map(numberOf).filter(Number.isFinite)) };
  if (isOrdered(column.kind)) return { ...facts, ...days(values.map(text).sort()) };
  const top = [...counts.values()].sort((a, b) => b[1] - a[1] || (text(a[0]) < text(b[0]) ? -1 : 1));
  return { ...facts, top: top.slice(0, TOP) };
}

function numbers(values: number[]): Partial<Profile> {
  if (values.length === 0) return {};
  const order = [...values].sort((a, b) => a - b);
  const [min = 0, max = 0] = [order[0], order.at(-1)];
  const sum = exactSum(values);
  const middle = order.length / 2;
  const median =
    order.length % 2 ? (order[Math.floor(middle)] ?? 0) : ((order[middle - 1] ?? 0) + (order[middle] ?? 0)) / 2;
  return {
    min,
    max,
    sum,
    mean: sum / values.length,
    median,
    negative: order.filter((each) => each < 0).length,
    histogram: min === max ? null : { low: min, high: max, counts: bars(values, min, max) },
  };
}

/** Sum with Neumaier's correction: amounts in cents must add up to what they do on paper. */
function exactSum(values: readonly number[]): number {
  let [sum, rest] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    rest += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + rest;
}

function days(order: readonly string[]): Partial<Profile> {
  const [min = null, max = null] = [order[0], order.at(-1)];
  if (min === null || max === null || min === max) return { min, max };
  const at = order.map((each) => Date.parse(each));
  return { min, max, histogram: { low: min, high: max, counts: bars(at, Date.parse(min), Date.parse(max)) } };
}

function bars(values: readonly number[], low: number, high: number): number[] {
  const counts = Array.from({ length: BARS }, () => 0);
  for (const value of values) {
    const bar = Math.min(BARS - 1, Math.floor(((value - low) / (high - low)) * BARS));
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  return counts;
}
