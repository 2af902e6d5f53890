import { Button, Skeleton } from '@mantine/core';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { rememberOrder } from '../../answer/order';
import { useArrivals, useHold, type Arrivals } from '../../api/arrivals';
import { entryKey, inboxQuery, listKey, summaryQuery, taskId } from '../../api/queries';
import { showNew } from '../../api/refresh';
import { useFirstRow } from '../../api/search';
import type { WaitingView } from '../../api/types';
import { useKeys } from '../../app/keys';
import { QueryError } from '../../app/PageError';
import { SavedViews } from '../../app/SavedViews';
import { useMinute } from '../../show/time';
import { Bulk } from './Bulk';
import { ColumnHeads } from './ColumnHeads';
import { Empty, NoMatch } from './Empty';
import { columnsOf } from './figures';
import { FilterBar, Tabs, useDensity } from './FilterBar';
import { isGrouped } from './groups';
import './inbox.css';
import { QuestionList, type ListHandle } from './QuestionList';
import { useNews } from './news';
import { filterOf, isFiltered, type InboxSearch } from './search';
import { isDecidable, useSelection } from './selection';
import { useFocusBack, useHeldList, useNarrow } from './useHeldList';

const ROW_PX = { compact: 28, comfortable: 44, narrow: 92 };

export function InboxPage() {
  const navigate = useNavigate({ from: '/' });
  const search = useSearch({ from: '/' });
  const { task, sort = '' } = search;
  const queries = useQueryClient();
  const filter = useMemo(() => filterOf(search), [search]);
  const options = inboxQuery(filter);
  const query = useInfiniteQuery(options);
  const { data: summary } = useQuery(summaryQuery);
  const isSearching = useFirstRow(query);
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const columns = useMemo(() => (search.workflow ? columnsOf(items) : undefined), [items, search.workflow]);
  const selection = useSelection(items);
  const [isLooking, setLooking] = useState(false);
  const [isPicking, setPicking] = useState(false);
  const [dense, setDense] = useDensity();
  const isNarrow = useNarrow();
  const now = useMinute();
  const list = useRef<ListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const arrivals = useArrivals(listKey(options.queryKey));
  useHeldList(box, task !== undefined || isLooking);
  useNews(listKey(options.queryKey), query.data && items, arrivals);
  const isFree = useHold() === 'free';
  const hasNew = arrivals.count > 0 || arrivals.isLeast;
  const { queryKey } = options;
  useEffect(() => {
    if (isFree && hasNew) void showNew(queries, queryKey);
    // The key is another object at each turn, for the same list.
  }, [isFree, hasNew, queries, listKey(queryKey)]);
  useFocusBack(list, task, items);

  useEffect(() => rememberOrder(items.map(taskId)), [items]);
  const change = useCallback(
    (next: InboxSearch) => void navigate({ search: (old) => filled({ ...old, ...next }), replace: true }),
    [navigate],
  );
  const open = useCallback((id: string) => void navigate({ search: (old) => ({ ...old, task: id }) }), [navigate]);
  const move = (by: number) => (event: KeyboardEvent) => {
    const from = list.current?.current();
    const view = list.current?.move(by);
    if (!event.shiftKey || !view) return;
    selection.add(from ? [from, view] : [view]);
  };
  useKeys(
    {
      j: move(1),
      k: move(-1),
      J: move(1),
      K: move(-1),
      ArrowDown: move(1),
      ArrowUp: move(-1),
      x: () => {
        const view = list.current?.current();
        if (view) selection.toggle(view, false);
      },
      l: () => selection.selected.size > 0 && setLooking(true),
      Escape: () => {
        if (selection.selected.size > 0) selection.clear();
        else setPicking(false);
      },
    },
    task === undefined && !isLooking,
  );

  const shown = useMemo(() => new Set(items.map(entryKey)), [items]);
  const views = [...selection.selected.values()];
  const more = items.filter((each) => selection.isSelectable(each) && !selection.selected.has(entryKey(each)));
  const isEmpty = query.data !== undefined && items.length === 0 && !isSearching;
  const isSelecting = selection.selected.size > 0 || isPicking;
  const className = [
    'list',
    columns && 'columned',
    isSelecting && 'selecting',
    dense || isNarrow ? undefined : 'comfortable',
  ];
  return (
    <div className="inbox">
      <div className="pagehead">
        <h1>Inbox</h1>
        <Tabs isAll={search.all ?? false} summary={summary} />
        <span className="fill" />
        {isNarrow && items.some(isDecidable) && (
          <Button variant="subtle" size="xs" onClick={() => setPicking(!isPicking)} aria-pressed={isPicking}>
            Select
          </Button>
        )}
        <SavedViews place="inbox" />
      </div>
      <FilterBar
        search={search}
        summary={summary}
        onChange={change}
        onDown={() => list.current?.move(1)}
        dense={dense}
        onDense={setDense}
      />
      <NewQuestions
        {...arrivals}
        onShow={() => void showNew(queries, options.queryKey).then(() => window.scrollTo(0, 0))}
      />
      {(query.isPending || (isSearching && !query.error)) && <Loading />}
      {query.error && (!query.data || isSearching) && (
        <QueryError error={query.error} retry={() => void query.refetch()} what="The inbox" />
      )}
      {items.length > 0 && (
        <div
          ref={box}
          className={className.filter(Boolean).join(' ')}
          style={columns ? columnStyle(columns.length) : undefined}
        >
          {columns && (
            <ColumnHeads columns={columns} items={items} sort={sort} onSort={(next) => change({ sort: next })} />
          )}
          <QuestionList
            ref={list}
            items={items}
            columns={columns}
            isGrouped={isGrouped(sort) && !columns}
            isEnd={!query.hasNextPage}
            now={now}
            height={isNarrow ? ROW_PX.narrow : dense ? ROW_PX.compact : ROW_PX.comfortable}
            selected={shownKeys(selection.selected)}
            isSelectable={selection.isSelectable}
            onToggle={selection.toggle}
            onOpen={open}
            onEnd={() => {
              // To ask for a next page breaks off whatever is being fetched, as what is new at the top.
              if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
            }}
          />
        </div>
      )}
      {isEmpty &&
        (isFiltered(search) ? (
          <NoMatch onClear={() => void navigate({ search: search.all ? { all: true } : {}, replace: true })} />
        ) : (
          <Empty search={search} summary={summary} />
        ))}
      {items.length > 0 && <Foot count={items.length} isEnd={!query.hasNextPage} columned={columns !== undefined} />}
      <Bulk
        views={views}
        hidden={views.filter((each) => !shown.has(entryKey(each))).length}
        more={more}
        isLooking={isLooking}
        onLook={setLooking}
        onMore={() => selection.add(more)}
        onDrop={selection.drop}
        onClear={selection.clear}
        onOpen={open}
      />
    </div>
  );
}

function shownKeys(selected: ReadonlyMap<string, WaitingView>): ReadonlySet<string> {
  return new Set(selected.keys());
}

/** What is empty does not stand in the address. */
function filled(search: InboxSearch): InboxSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value));
}

function columnStyle(many: number): React.CSSProperties {
  const figures = 'minmax(64px, 0.5fr) '.repeat(many);
  const columns = `16px 16px minmax(0, 1.4fr) ${figures} minmax(0, 140px) 34px 88px`;
  return { '--columns': columns } as React.CSSProperties;
}

function NewQuestions({ count, isLeast, onShow }: Arrivals & { onShow: () => void }) {
  const many = isLeast
    ? count > 0
      ? `${count} or more new questions`
      : 'New questions'
    : count === 1
      ? '1 new question'
      : `${count} new questions`;
  const isThere = count > 0 || isLeast;
  return (
    <div className="new-questions">
      {isThere && (
        <Button variant="light" size="xs" onClick={onShow}>
          {many}
        </Button>
      )}
    </div>
  );
}

function Loading() {
  return (
    <div className="list" role="status" aria-label="Loading">
      {[0, 1, 2, 3, 4, 5].map((each) => (
        <Skeleton key={each} h={27} mb={1} radius={0} />
      ))}
    </div>
  );
}

const KEYS = [
  [['J', 'K'], 'move'],
  [['Enter'], 'open'],
  [['X'], 'select'],
  [['/'], 'search'],
] as const;

function Foot({ count, isEnd, columned }: { count: number; isEnd: boolean; columned: boolean }) {
  return (
    <div className="foot">
      <span className="num">
        {count.toLocaleString()}
        {isEnd ? '' : ' loaded'} {count === 1 ? 'question' : 'questions'}
        {columned && '. Filtered to one workflow, so its key figures are columns you can sort.'}
      </span>
      {!columned &&
        KEYS.map(([keys, word]) => (
          <span key={word} className="foot-key">
            {keys.map((key) => (
              <kbd key={key} className="kbd">
                {key}
              </kbd>
            ))}{' '}
            {word}
          </span>
        ))}
    </div>
  );
}
