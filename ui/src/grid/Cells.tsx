/** The cells of a page, of which only those in sight are drawn; the first column stays in sight. One tab stop: arrows move within. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { cell, full, isMoney } from './figures';
import { HeadCell } from './HeadCell';
import { isNumeric, type Column, type Page } from './model';
import type { Chosen } from './useGrid';
import type { CellAt } from './useWholeCell';

const ROW_PX = 28;
const HEAD_PX = 46;
const PROFILE_PX = 90;
const [NARROW_PX, WIDE_PX, LETTER_PX, PAD_PX] = [84, 320, 7.2, 24];
/** Pixels of the blank at both sides of a head. */
const HEAD_PAD_PX = 22;
/** What the head of a column says of its values has room from the start: nothing moves when it is known. */
const LEAST_PX: Record<Column['kind'], number> = {
  integer: 116,
  number: 124,
  boolean: 116,
  date: 152,
  instant: 152,
  text: 112,
  other: NARROW_PX,
};
/** The part of the place that pinned columns may take: the others must be seen as well. */
const MOST_PINNED = 0.6;
/** Rows by whose texts the width of a column is measured. */
const MEASURED = 60;

type Props = {
  chosen: Chosen;
  page: Page;
  label: string;
  describedBy: string;
  onOpen: (position: number, anchor: HTMLElement) => void;
  onFocus: (at: CellAt) => void;
};

export function Cells({ chosen, page, label, describedBy, onOpen, onFocus }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const { columns, rows } = page;
  const money = useMemo(
    () =>
      columns.map(({ kind }, at) =>
        isMoney(
          kind,
          rows.map((row) => row[at] ?? null),
        ),
      ),
    [columns, rows],
  );
  const widths = useMemo(
    () =>
      columns.map((column, at) =>
        widthOf(
          column,
          rows.slice(0, MEASURED).map((row) => cell(row[at] ?? null, column.kind, money[at] ?? false)),
        ),
      ),
    [columns, rows, money],
  );
  const head = chosen.hasProfiles ? PROFILE_PX : HEAD_PX;
  const lines = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
    scrollMargin: 0,
    scrollPaddingStart: head,
  });
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroll.current,
    estimateSize: (at) => widths[at] ?? NARROW_PX,
    overscan: 3,
    scrollPaddingStart: widths.slice(0, chosen.pinned).reduce((sum, each) => sum + each, 0),
  });
  useEffect(() => {
    across.measure();
  }, [widths, across]);
  const { offset } = chosen.query;
  useEffect(() => {
    // Browsers return a promise, which does not undo it.
    void scroll.current?.scrollTo({ top: 0 });
  }, [offset, rows]);
  const roving = useRoving(rows.length, columns.length, (row, at) => {
    if (row >= 0) lines.scrollToIndex(row);
    across.scrollToIndex(at);
    if (row >= 0) onFocus({ row, index: at, name: columns[at]?.name ?? '' });
  });
  const width = across.getTotalSize();
  const inSight = across.getVirtualItems();
  const held = heldOf(chosen.pinned, widths, across.scrollRect?.width ?? 0);
  const pins = Array.from({ length: held }, (_, index) => ({
    index,
    start: widths.slice(0, index).reduce((sum, each) => sum + each, 0),
    size: widths[index] ?? NARROW_PX,
  }));
  const drawn = [...pins, ...inSight.filter(({ index }) => index >= held)];
  const isActive = (row: number, at: number) => roving.row === row && roving.at === at;
  return (
    <div
      className={`gd-scroll${chosen.isStale ? ' gd-stale' : ''}`}
      ref={scroll}
      role="grid"
      aria-label={label}
      aria-describedby={describedBy}
      aria-rowcount={page.matching + 1}
      aria-colcount={columns.length}
      aria-busy={chosen.isStale}
      onKeyDown={roving.onKeyDown}
    >
      <div style={{ width, height: lines.getTotalSize() + head, position: 'relative' }} role="presentation">
        <div className="gd-head" role="row" aria-rowindex={1} style={{ height: head, width }}>
          {drawn.map(({ index, start, size }) => {
            const column = columns[index];
            return (
              column && (
                <div
                  key={column.position}
                  role="columnheader"
                  aria-colindex={index + 1}
                  aria-sort={sortOf(chosen.query.sort, column.name)}
                  className={`gd-h${index < held ? ' gd-first' : ''}${isNumeric(column.kind) ? ' gd-n' : ''}`}
                  style={{ left: start, width: size }}
                >
                  <HeadCell
                    column={column}
                    profile={chosen.hasProfiles ? chosen.profiles.get(column.position) : undefined}
                    sort={sortOf(chosen.query.sort, column.name)}
                    isMoney={money[index] ?? false}
                    total={page.total}
                    room={size - HEAD_PAD_PX}
                    tabIndex={isActive(-1, index) ? 0 : -1}
                    at={`-1 ${index}`}
                    onFocus={() => roving.take(-1, index)}
                    onOpen={(anchor) => onOpen(column.position, anchor)}
                  />
                </div>
              )
            );
          })}
        </div>
        {lines.getVirtualItems().map((line) => (
          <div
            key={line.key}
            role="row"
            aria-rowindex={offset + line.index + 2}
            className="gd-row"
            style={{ transform: `translateY(${line.start + head}px)`, width, height: ROW_PX }}
          >
            {drawn.map(({ index, start, size }) => {
              const column = columns[index];
              const value = rows[line.index]?.[index] ?? null;
              return (
                column && (
                  <div
                    key={column.position}
                    role="gridcell"
                    aria-colindex={index + 1}
                    data-at={`${line.index} ${index}`}
                    tabIndex={isActive(line.index, index) ? 0 : -1}
                    onFocus={() => roving.take(line.index, index)}
                    className={`gd-c${index < held ? ' gd-first' : ''}${isNumeric(column.kind) ? ' gd-n' : ''}${value === null ? ' gd-nul' : ''}`}
                    style={{ left: start, width: size }}
                    title={value === null ? undefined : full(value)}
                    dir="auto"
                    onCopy={(event) => copy(event, full(value))}
                  >
                    {cell(value, column.kind, money[index] ?? false)}
                  </div>
                )
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Copy the whole value of a cell that has focus, unless a part of the page is marked. */
function copy(event: React.ClipboardEvent, text: string): void {
  if (window.getSelection()?.toString()) return;
  event.clipboardData.setData('text/plain', text);
  event.preventDefault();
}

function widthOf({ name, kind }: Column, texts: string[]): number {
  const longest = Math.max(name.length + 3, ...texts.map((each) => each.length));
  return Math.round(Math.min(WIDE_PX, Math.max(LEAST_PX[kind], longest * LETTER_PX + PAD_PX)));
}

/** How many columns stay in sight: those that are pinned, as far as there is room. The first one always does. */
function heldOf(pinned: number, widths: readonly number[], place: number): number {
  let [held, sum] = [0, 0];
  while (held < Math.min(pinned, widths.length)) {
    sum += widths[held] ?? 0;
    if (held > 0 && sum > place * MOST_PINNED) break;
    held += 1;
  }
  return held;
}

export function sortOf(sort: string, name: string): 'ascending' | 'descending' | 'none' {
  return sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none';
}

const STEPS: Record<string, [row: number, at: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-15, 0],
  PageDown: [15, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** Which cell has focus; row -1 is the head. */
function useRoving(rows: number, columns: number, onMove: (row: number, at: number) => void) {
  const [{ row, at }, setActive] = useState({ row: -1, at: 0 });
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const found = document.querySelector<HTMLElement>(`.gd-scroll:focus-within [data-at="${wanted.current}"]`);
    if (!found) return;
    wanted.current = undefined;
    found.focus({ preventScroll: true });
  });
  const take = (toRow: number, toAt: number) => {
    if (toRow === row && toAt === at) return;
    setActive({ row: toRow, at: toAt });
    onMove(toRow, toAt);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
    const toRow = event.ctrlKey && step[1] !== 0 ? (step[1] < 0 ? -1 : rows - 1) : clamp(row + step[0], -1, rows - 1);
    const toAt = clamp(at + step[1], 0, columns - 1);
    wanted.current = `${toRow} ${toAt}`;
    setActive({ row: toRow, at: toAt });
    onMove(toRow, toAt);
  };
  return { row, at, take, onKeyDown };
}
