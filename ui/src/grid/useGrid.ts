/** What is chosen in a grid (columns, order, filters, search, page), and the rows and profiles that belong to it. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import { count } from '../show/numbers';
import { part, useCut, useEverything } from '../show/whole';
import { COLUMNS, ROWS, type Filter, type Page, type Profile, type Query, type Source } from './model';

/** Rows of a page once everything is asked for. */
const MANY = 1_000;

export interface Chosen {
  readonly query: Query;
  readonly page: Page | undefined;
  readonly error: Error | null;
  readonly isStale: boolean;
  readonly profiles: ReadonlyMap<number, Profile>;
  readonly hasProfiles: boolean;
  /** How many columns, from the first, stay in sight. */
  readonly pinned: number;
  isPinned(position: number): boolean;
  pin(position: number): void;
  sort(by: string): void;
  filter(filters: readonly Filter[]): void;
  search(text: string): void;
  show(columns: readonly number[]): void;
  turn(offset: number): void;
  toggleProfiles(): void;
}

const first = (source: Source, many: number): number[] => source.columns.slice(0, many).map(({ position }) => position);

export function useGrid(source: Source): Chosen {
  const everything = useEverything();
  const [shown, setShown] = useState<readonly number[]>(() => first(source, everything ? Infinity : COLUMNS));
  const [pins, setPins] = useState<readonly number[]>(() => first(source, 1));
  const pinned = useMemo(() => pins.filter((each) => shown.includes(each)), [pins, shown]);
  const columns = useMemo(() => [...pinned, ...shown.filter((each) => !pinned.includes(each))], [pinned, shown]);
  const [order, setOrder] = useState({ sort: '', filters: [] as readonly Filter[], search: '', offset: 0 });
  const [hasProfiles, setHasProfiles] = useState(true);
  useEffect(() => {
    if (everything) setShown(first(source, Infinity));
  }, [everything, source]);
  const limit = everything ? MANY : ROWS;
  const query = useMemo<Query>(() => ({ ...order, limit, columns }), [order, limit, columns]);
  // A search that is typed asks for rows when there is time.
  const asked = useDeferredValue(query);
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['grid', ...source.key, asked],
    queryFn: ({ signal }) => source.page(asked, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });
  const profiles = useQuery({
    queryKey: ['profile', ...source.key, shown],
    queryFn: ({ signal }) => source.profile(shown, signal),
    enabled: hasProfiles && data !== undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  }).data;
  const byColumn = useMemo(() => new Map(profiles?.map((each) => [each.position, each])), [profiles]);
  useUnseen(source, asked, data);
  const change = (some: Partial<typeof order>) => setOrder((now) => ({ ...now, offset: 0, ...some }));
  return {
    query,
    page: data,
    error,
    isStale: isPlaceholderData || asked !== query,
    profiles: byColumn,
    hasProfiles,
    pinned: pinned.length,
    isPinned: (position) => pinned.includes(position),
    pin: (position) =>
      setPins((now) => (now.includes(position) ? now.filter((each) => each !== position) : [...now, position])),
    sort: (sort) => change({ sort }),
    filter: (filters) => change({ filters }),
    search: (search) => change({ search }),
    show: setShown,
    turn: (offset) => change({ offset }),
    toggleProfiles: () => setHasProfiles((now) => !now),
  };
}

/** Say what of the table has not been on the screen: rows of pages that were not turned to, columns that are not chosen, ends of long cells. */
function useUnseen(source: Source, query: Query, page: Page | undefined): void {
  const [seen, setSeen] = useState<ReadonlyMap<number, number>>(new Map());
  const isFiltered = query.filters.length > 0 || query.search !== '';
  const { sort, offset } = query;
  useEffect(() => setSeen(new Map()), [sort, source]);
  useEffect(() => {
    if (page && !isFiltered) setSeen((now) => new Map(now).set(offset, page.rows.length));
  }, [page, isFiltered, offset]);
  const turned = [...seen.values()].reduce((sum, each) => sum + each, 0);
  const rows = Math.max(page?.rows.length ?? 0, turned);
  const long = page?.cut.length ?? 0;
  const said = [
    part(Math.min(rows, source.total), source.total, 'rows'),
    part(query.columns.length, source.columns.length, 'columns'),
    long > 0 ? `the beginning of ${count(long)} long cell${long === 1 ? '' : 's'}` : '',
  ].filter(Boolean);
  useCut(said.length > 0, said.join(', '));
}
