/** What a grid shows: pages of rows from wherever they are, and the profiles of columns. */
import type { Json } from '../api/json';

export type Kind = 'integer' | 'number' | 'boolean' | 'date' | 'instant' | 'text' | 'other';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly position: number;
}

export type Op = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'contains' | 'missing' | 'present';

export interface Filter {
  readonly column: string;
  readonly op: Op;
  readonly value: string | number | boolean | null;
}

/** Which rows. `sort` is a column's name, with `-` in front for the largest first; empty: as they stand in the value. */
export interface Query {
  readonly offset: number;
  readonly limit: number;
  readonly sort: string;
  readonly filters: readonly Filter[];
  readonly search: string;
  /** Positions of the columns, in order. */
  readonly columns: readonly number[];
}

export interface Page {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Json[])[];
  readonly total: number;
  readonly matching: number;
  /** Cells that are shortened: row and column in this page. */
  readonly cut: readonly (readonly number[])[];
}

export interface Histogram {
  readonly low: Json;
  readonly high: Json;
  readonly counts: readonly number[];
}

export interface Profile {
  readonly position: number;
  readonly missing: number;
  readonly distinct: number;
  /** Whether `distinct` and `median` are counted, and not estimated. */
  readonly exact: boolean;
  readonly min: Json;
  readonly max: Json;
  readonly sum: Json;
  readonly mean: Json;
  readonly median: Json;
  readonly negative: number | null;
  readonly top: readonly (readonly Json[])[] | null;
  readonly histogram: Histogram | null;
}

/** Where rows come from. */
export interface Source {
  /** What tells it from others; it changes when the value does. */
  readonly key: readonly Json[];
  readonly columns: readonly Column[];
  readonly total: number;
  /** What the value is known by, where it is stored. */
  readonly digest: string;
  page(query: Query, signal: AbortSignal): Promise<Page>;
  profile(positions: readonly number[], signal: AbortSignal): Promise<readonly Profile[]>;
}

/** How many rows a page has, and how many columns are shown at first: of more, a reader compares none. */
export const ROWS = 200;
export const COLUMNS = 40;

export const isNumeric = (kind: Kind): boolean => kind === 'integer' || kind === 'number';
export const isOrdered = (kind: Kind): boolean => isNumeric(kind) || kind === 'date' || kind === 'instant';

export const OPS: Record<Op, string> = {
  eq: 'is',
  ne: 'is not',
  lt: 'less than',
  le: 'at most',
  gt: 'over',
  ge: 'at least',
  contains: 'contains',
  missing: 'is missing',
  present: 'is not missing',
};

export function opsOf(kind: Kind): Op[] {
  if (isOrdered(kind)) return ['ge', 'le', 'gt', 'lt', 'eq', 'ne', 'missing', 'present'];
  if (kind === 'boolean') return ['eq', 'missing', 'present'];
  return ['contains', 'eq', 'ne', 'missing', 'present'];
}

/** The value of a filter as it was typed; undefined if it cannot be one of this column. */
export function filterValue(kind: Kind, op: Op, text: string): Filter['value'] | undefined {
  if (op === 'missing' || op === 'present') return null;
  if (op === 'contains') return text === '' ? undefined : text;
  if (isNumeric(kind)) {
    const found = Number(text.replaceAll(/[\s_]/g, ''));
    return text.trim() === '' || Number.isNaN(found) ? undefined : found;
  }
  if (kind === 'boolean') return text === 'yes' ? true : text === 'no' ? false : undefined;
  if (kind === 'date' || kind === 'instant') return /^\d{4}-\d\d-\d\d/.test(text) ? text : undefined;
  return text;
}

/** Positions as the server takes them: runs of neighbours as ranges. */
export function ranges(positions: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < positions.length;) {
    const first = positions[at] ?? 0;
    let length = 1;
    while (positions[at + length] === first + length) length += 1;
    parts.push(length > 1 ? `${first}-${first + length - 1}` : `${first}`);
    at += length;
  }
  return parts.join(',');
}
