/** The rows that match, as text with separators. */
import type { Json } from '../api/json';
import { csvLine } from '../show/csv';
import { full } from './figures';
import type { Query, Source } from './model';

/** Rows of one request, and of a file: spreadsheets hold a million. */
const PIECE = 1_000;
export const MOST = 1_000_000;

export function line(values: readonly Json[]): string {
  return csvLine(values.map(full));
}

/** Collect all rows of a query. `onProgress` is told how many are there, of how many. */
export async function csv(
  source: Source,
  query: Query,
  signal: AbortSignal,
  onProgress: (done: number, all: number) => void,
): Promise<Blob> {
  const parts: string[] = ['\ufeff', line(query.columns.map((each) => source.columns[each]?.name ?? ''))];
  for (let offset = 0; offset < MOST; offset += PIECE) {
    const page = await source.page({ ...query, offset, limit: PIECE }, signal);
    parts.push(page.rows.map(line).join(''));
    const all = Math.min(page.matching, MOST);
    onProgress(Math.min(offset + PIECE, all), all);
    if (offset + PIECE >= all) break;
  }
  return new Blob(parts, { type: 'text/csv' });
}
