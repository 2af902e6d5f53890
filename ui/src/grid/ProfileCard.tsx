/** The profile of a column over all rows, beside it. Its bars and its most frequent values are filters. */
import { Button, CloseButton } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { Json } from '../api/json';
import { count } from '../show/numbers';
import { cell, number } from './figures';
import { KINDS } from './HeadCell';
import { isNumeric, type Column, type Filter, type Histogram, type Profile } from './model';
import type { Chosen } from './useGrid';

/** Twelve bars, each as wide as a finger needs. */
const WIDTH_PX = 336;

type Props = {
  column: Column;
  profile: Profile;
  chosen: Chosen;
  total: number;
  place: { left: number; right: number; top: number };
  onClose: () => void;
};

export function ProfileCard({ column, profile, chosen, total, place, onClose }: Props) {
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => card.current?.focus({ preventScroll: true }), [column]);
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const target = event.target as Element;
      if (!card.current?.contains(target) && !target.closest('.gd-open')) onClose();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [onClose]);
  const around = card.current?.parentElement?.clientWidth ?? globalThis.innerWidth;
  const beside = place.right + 4 + WIDTH_PX <= around ? place.right + 4 : Math.max(4, place.left - WIDTH_PX - 4);
  const add = (...filters: Filter[]) => {
    chosen.filter([...chosen.query.filters.filter((each) => each.column !== column.name), ...filters]);
    onClose();
  };
  const about = profile.exact ? '' : 'about ';
  return (
    <div
      ref={card}
      className="gd-card"
      role="dialog"
      aria-label={`Profile of ${column.name}`}
      tabIndex={-1}
      data-mantine-stop-propagation
      style={{ left: beside, top: Math.max(40, place.top - 60), width: WIDTH_PX }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
        card.current?.parentElement?.querySelector<HTMLElement>(`[data-column="${column.position}"]`)?.focus();
      }}
    >
      <div className="gd-card-head">
        <b dir="auto">{column.name}</b> <span className="dim">{KINDS[column.kind]}</span>
        <span className="gd-grow" />
        <CloseButton size="sm" aria-label="Close the profile" data-mantine-stop-propagation onClick={onClose} />
      </div>
      {profile.histogram && <Chart column={column} histogram={profile.histogram} onFilter={add} />}
      {profile.top && profile.top.length > 0 && profile.distinct < total && (
        <ul className="gd-top">
          {profile.top.map(([value = null, many], at) => (
            <li key={at}>
              <button
                type="button"
                data-mantine-stop-propagation
                title="Show only these rows"
                onClick={() => add({ column: column.name, op: 'eq', value: value as string | boolean })}
              >
                <span className="gd-top-bar" style={{ width: `${(Number(many) / total) * 100}%` }} />
                <span className="gd-top-name" dir="auto">
                  {cell(value, column.kind, false) || 'empty text'}
                </span>
                <span className="num">{count(Number(many))}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <dl>
        <Fact name="Sum, all rows" value={profile.sum} />
        <Fact name={profile.exact ? 'Median' : 'Median, about'} value={profile.median} />
        <Fact name="Mean" value={profile.mean} />
        {!isNumeric(column.kind) && profile.min !== null && <Fact name="First" value={String(profile.min)} />}
        {!isNumeric(column.kind) && profile.max !== null && <Fact name="Last" value={String(profile.max)} />}
        <Fact name="Distinct" value={`${about}${count(profile.distinct)}`} />
        <Fact name="Missing" value={count(profile.missing)} />
        {profile.negative !== null && <Fact name="Negative" value={count(profile.negative)} />}
      </dl>
      <div className="gd-card-foot">
        <Sort chosen={chosen} by={column.name} word="Smallest first" onDone={onClose} />
        <Sort chosen={chosen} by={`-${column.name}`} word="Largest first" onDone={onClose} />
        <Button
          size="compact-xs"
          variant={chosen.isPinned(column.position) ? 'light' : 'default'}
          aria-pressed={chosen.isPinned(column.position)}
          data-mantine-stop-propagation
          title="Keep the column in sight, at the left"
          onClick={() => {
            chosen.pin(column.position);
            onClose();
          }}
        >
          Pin
        </Button>
        {profile.missing > 0 && (
          <Button
            size="compact-xs"
            variant="default"
            data-mantine-stop-propagation
            onClick={() => add({ column: column.name, op: 'missing', value: null })}
          >
            Missing
          </Button>
        )}
      </div>
    </div>
  );
}

function Sort({ chosen, by, word, onDone }: { chosen: Chosen; by: string; word: string; onDone: () => void }) {
  const isOn = chosen.query.sort === by;
  return (
    <Button
      size="compact-xs"
      variant={isOn ? 'light' : 'default'}
      aria-pressed={isOn}
      data-mantine-stop-propagation
      onClick={() => {
        chosen.sort(isOn ? '' : by);
        onDone();
      }}
    >
      {word}
    </Button>
  );
}

function Fact({ name, value }: { name: string; value: Json }) {
  if (value === null || value === undefined) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd title={String(value)}>{typeof value === 'string' ? value : number(value)}</dd>
    </>
  );
}

type ChartProps = { column: Column; histogram: Histogram; onFilter: (...filters: Filter[]) => void };

/** The histogram; each bar shows only its rows. */
function Chart({ column, histogram, onFilter }: ChartProps) {
  const { low, high } = histogram;
  const counts = inPairs(histogram.counts);
  const most = Math.max(...counts, 1);
  const edges = edgesOf(column, { low, high, counts });
  const name = (value: Json) => (isNumeric(column.kind) ? number(value) : String(value).slice(0, 10));
  return (
    <div className="gd-chart">
      <div className="gd-bars">
        {counts.map((many, at) => (
          <button
            key={at}
            type="button"
            tabIndex={many > 0 ? 0 : -1}
            disabled={many === 0}
            data-mantine-stop-propagation
            aria-label={`${name(edges[at] ?? low)} to ${name(edges[at + 1] ?? high)}: ${count(many)} rows`}
            title={`${name(edges[at] ?? low)} to ${name(edges[at + 1] ?? high)}: ${count(many)}`}
            onClick={() =>
              onFilter(
                { column: column.name, op: 'ge', value: edges[at] ?? null },
                { column: column.name, op: at === counts.length - 1 ? 'le' : 'lt', value: edges[at + 1] ?? null },
              )
            }
          >
            <span style={{ height: many === 0 ? 0 : `${Math.max(3, (many / most) * 100)}%` }} />
          </button>
        ))}
      </div>
      <div className="gd-ends num">
        <span>{name(low)}</span>
        <span>{name(high)}</span>
      </div>
    </div>
  );
}

/** Every two bars as one. */
function inPairs(counts: readonly number[]): number[] {
  return Array.from(
    { length: Math.ceil(counts.length / 2) },
    (_, at) => (counts[2 * at] ?? 0) + (counts[2 * at + 1] ?? 0),
  );
}

/** Where the bars begin, and the last one ends, as values that a filter takes. */
function edgesOf(column: Column, { low, high, counts }: Histogram): (number | string)[] {
  const share = (from: number, to: number, at: number) => from + ((to - from) * at) / counts.length;
  const all = Array.from({ length: counts.length + 1 }, (_, at) => at);
  if (isNumeric(column.kind)) {
    const [from, to] = [Number(low), Number(high)];
    return all.map((at) => (at === counts.length ? to : share(from, to, at)));
  }
  const [from, to] = [Date.parse(String(low)), Date.parse(String(high))];
  return all.map((at) => {
    if (at === 0) return String(low);
    if (at === counts.length) return String(high);
    const iso = new Date(share(from, to, at)).toISOString();
    return column.kind === 'date' ? new Date(share(from, to, at) + 86_399_999).toISOString().slice(0, 10) : iso;
  });
}
