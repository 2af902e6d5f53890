/** Rows that stay on the server, which sorts, filters, searches and profiles them. */
import { get, segments } from '../api/client';
import type { ProfileView, RowsView } from '../api/types';
import { COLUMNS, ranges, type Column, type Kind, type Page, type Profile, type Source } from './model';

function column({ name, type, position }: RowsView['columns'][number]): Column {
  return { name, kind: type as Kind, position };
}

const address = (digest: string, what: 'rows' | 'profile'): string => `/api/v1/blobs/${segments(digest)}/${what}`;

/** Open a file as a table, by its digest; the ending of its name tells how text is separated. */
export async function openServed(digest: string, name: string, signal: AbortSignal): Promise<Source> {
  const first = await get<RowsView>(address(digest, 'rows'), { name, limit: 1, cell: 1 }, signal);
  return {
    key: ['served', digest],
    columns: first.columns.map(column),
    total: first.total,
    digest: first.digest,
    page: async ({ offset, limit, sort, filters, search, columns }, stop) => {
      const page = await get<RowsView>(
        address(digest, 'rows'),
        {
          name,
          offset,
          limit,
          sort: sort === '' ? [] : [sort],
          filter: filters.length > 0 ? JSON.stringify(filters) : '',
          q: search,
          columns: ranges(columns),
          // One row is asked for to see a cell whole.
          cell: limit === 1 ? 1_000_000 : undefined,
        },
        stop,
      );
      return { ...page, columns: page.columns.map(column) } satisfies Page;
    },
    profile: async (positions, stop) => {
      const found: Profile[] = [];
      // A few columns at a time: the first ones are there while the others are still counted.
      for (let at = 0; at < positions.length; at += COLUMNS) {
        const some = ranges(positions.slice(at, at + COLUMNS));
        const view = await get<ProfileView>(address(digest, 'profile'), { name, columns: some }, stop);
        found.push(...(view.columns as unknown as Profile[]));
      }
      return found;
    },
  };
}
