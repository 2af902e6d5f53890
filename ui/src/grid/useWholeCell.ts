/** The whole value of the cell that has focus: numbers with all digits, and long texts to their end. */
import { useQuery } from '@tanstack/react-query';
import type { Json } from '../api/json';
import type { Source } from './model';
import type { Chosen } from './useGrid';

export interface CellAt {
  readonly row: number;
  readonly index: number;
  readonly name: string;
}

export function useWholeCell(source: Source, { page, query }: Chosen, at: CellAt | undefined): Json | undefined {
  const isCut = at !== undefined && (page?.cut.some(([row, index]) => row === at.row && index === at.index) ?? false);
  const position = at === undefined ? undefined : query.columns[at.index];
  const whole = useQuery({
    queryKey: ['cell', ...source.key, query, at?.row, position],
    queryFn: async ({ signal }) => {
      const one = { ...query, offset: query.offset + (at?.row ?? 0), limit: 1, columns: [position ?? 0] };
      return (await source.page(one, signal)).rows[0]?.[0] ?? null;
    },
    enabled: isCut && position !== undefined,
    staleTime: Infinity,
    gcTime: 10_000,
    retry: false,
  });
  if (at === undefined) return undefined;
  return isCut ? whole.data : page?.rows[at.row]?.[at.index];
}
