import { useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { Fragment, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type Ref } from 'react';
import { entryKey } from '../../api/queries';
import type { WaitingView } from '../../api/types';
import { grouped, GROUPS, type Entry, type Group } from './groups';
import { QuestionRow } from './QuestionRow';
import './rows.css';

export type ListHandle = {
  move: (by: number) => WaitingView | undefined;
  current: () => WaitingView | undefined;
  focus: (key: string) => boolean;
};

type Props = {
  items: WaitingView[];
  columns: readonly string[] | undefined;
  isGrouped: boolean;
  isEnd: boolean;
  now: number;
  selected: ReadonlySet<string>;
  isSelectable: (view: WaitingView) => boolean;
  onToggle: (view: WaitingView, range: boolean) => void;
  onOpen: (id: string) => void;
  onEnd: () => void;
  height: number;
  ref: Ref<ListHandle>;
};

const HEAD_PX = 24;
/** Rows from the end at which somebody who scrolls is about to need the next page. */
const NEAR = 20;

/** The questions, of which only those on the screen are in the page. */
export function QuestionList(props: Props) {
  const { items, columns, now, selected, isSelectable, onToggle, onOpen, onEnd, height, ref } = props;
  const { isGrouped, isEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const at = useRef(-1);
  const entries = useMemo<Entry[]>(
    () => (isGrouped ? grouped(items, now, isEnd) : items.map((view) => ({ view }))),
    [items, isGrouped, isEnd, now],
  );
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin(box.current?.offsetTop ?? 0));
  const virtual = useWindowVirtualizer({
    count: entries.length,
    estimateSize: (index) => (isHead(entries[index]) ? HEAD_PX : height),
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (index) => keyOf(entries[index], index),
  });
  useEffect(() => virtual.measure(), [height, virtual]);
  const rows = virtual.getVirtualItems();
  // Nobody needs a second page who has not scrolled, unless the first one does not fill the screen.
  const needed = (virtual.range?.endIndex ?? 0) + ((virtual.scrollOffset ?? 0) > 0 ? NEAR : 1);
  useEffect(() => {
    if (needed >= entries.length) onEnd();
  }, [needed, entries.length, onEnd]);
  const positions = useMemo(() => positionsOf(entries), [entries]);

  const focusRow = (index: number): WaitingView | undefined => {
    at.current = index;
    virtual.scrollToIndex(index, { align: 'auto' });
    const focus = () => box.current?.querySelector<HTMLElement>(`[data-index="${index}"] .open`);
    const link = focus();
    if (link) link.focus();
    else requestAnimationFrame(() => focus()?.focus());
    return viewOf(entries[index]);
  };
  useImperativeHandle(ref, () => ({
    move: (by) => {
      const next = step(entries, at.current, by);
      return next < 0 ? undefined : focusRow(next);
    },
    current: () => viewOf(entries[at.current]),
    focus: (key) => {
      const index = entries.findIndex((each, place) => keyOf(each, place) === key);
      if (index >= 0) focusRow(index);
      return index >= 0;
    },
  }));
  const runs = useMemo(() => runsOf(entries, rows), [entries, rows]);
  const shift = (start: number) => ({ transform: `translateY(${start - virtual.options.scrollMargin}px)` });
  return (
    <div ref={box} className="questions" style={{ height: virtual.getTotalSize() }}>
      {runs.map(({ group, head, rows: within }) => (
        <Fragment key={group ?? ''}>
          {head && (
            <Head
              {...head.entry}
              index={head.row.index}
              measure={virtual.measureElement}
              style={shift(head.row.start)}
            />
          )}
          {within.length > 0 && (
            <ul aria-label={group ? GROUPS[group] : 'Questions'}>
              {within.map(({ row, view }) => (
                <li
                  key={row.key}
                  data-index={row.index}
                  ref={virtual.measureElement}
                  aria-setsize={items.length}
                  aria-posinset={positions[row.index]}
                  onFocus={() => {
                    at.current = row.index;
                  }}
                  className="question"
                  style={shift(row.start)}
                >
                  <QuestionRow
                    view={view}
                    columns={columns}
                    now={now}
                    isSelected={selected.has(entryKey(view))}
                    isSelectable={isSelectable(view)}
                    onToggle={onToggle}
                    onOpen={onOpen}
                  />
                </li>
              ))}
            </ul>
          )}
        </Fragment>
      ))}
    </div>
  );
}

type Run = {
  group: Group | undefined;
  head?: { row: VirtualItem; entry: Extract<Entry, { head: Group }> };
  rows: { row: VirtualItem; view: WaitingView }[];
};

/** Return what is on the screen as one list for each group, whose head may be scrolled away. */
function runsOf(entries: readonly Entry[], rows: readonly VirtualItem[]): Run[] {
  const found: Run[] = [];
  for (const row of rows) {
    const entry = entries[row.index];
    if (!entry) continue;
    if ('head' in entry) found.push({ group: entry.head, head: { row, entry }, rows: [] });
    else {
      const run = found.at(-1) ?? { group: groupBefore(entries, row.index), rows: [] };
      if (found.length === 0) found.push(run);
      run.rows.push({ row, view: entry.view });
    }
  }
  return found;
}

function groupBefore(entries: readonly Entry[], index: number): Group | undefined {
  for (let at = index; at >= 0; at--) {
    const entry = entries[at];
    if (entry && 'head' in entry) return entry.head;
  }
  return undefined;
}

type HeadProps = {
  head: Group;
  count: number;
  isWhole: boolean;
  index: number;
  measure: (element: Element | null) => void;
  style: React.CSSProperties;
};

function Head({ head, count, isWhole, index, measure, style }: HeadProps) {
  return (
    <h2 data-index={index} ref={measure} className="question group-head" style={style}>
      {GROUPS[head]} <span className="dim num">{isWhole ? count : `${count}+`}</span>
    </h2>
  );
}

function isHead(entry: Entry | undefined): boolean {
  return entry !== undefined && 'head' in entry;
}

function viewOf(entry: Entry | undefined): WaitingView | undefined {
  return entry !== undefined && 'view' in entry ? entry.view : undefined;
}

function keyOf(entry: Entry | undefined, index: number): string {
  if (entry === undefined) return String(index);
  return 'view' in entry ? entryKey(entry.view) : entry.head;
}

/** Return where each row stands among the questions, from 1; heads do not count. */
function positionsOf(entries: readonly Entry[]): number[] {
  let position = 0;
  return entries.map((each) => ('view' in each ? ++position : position));
}

/** Return the index of the question that is `by` questions away, or the last one on the way. */
function step(entries: readonly Entry[], from: number, by: number): number {
  const way = by < 0 ? -1 : 1;
  let left = Math.abs(by);
  let found = viewOf(entries[from]) && from < entries.length ? from : -1;
  if (left === 0 && found >= 0) return found;
  // What had the focus may be gone with its answer: then the question that has taken its place is the one.
  if (left === 0) return nearest(entries, from);
  for (let at = from + way; at >= 0 && at < entries.length && left > 0; at += way) {
    if (!viewOf(entries[at])) continue;
    found = at;
    left -= 1;
  }
  return found;
}

function nearest(entries: readonly Entry[], from: number): number {
  const after = entries.findIndex((each, at) => at >= from && 'view' in each);
  return after >= 0 ? after : entries.reduce((last, each, at) => ('view' in each ? at : last), -1);
}
