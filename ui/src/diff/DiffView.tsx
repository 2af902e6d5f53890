/** What is different between two texts: side by side or one below the other, with what is equal folded. */
import { ActionIcon, Button, Loader, SegmentedControl, Text } from '@mantine/core';
import { Fragment, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { IconDown, IconUp } from '../app/icons';
import { useIsPhone } from '../app/phone';
import { count } from '../show/numbers';
import { Cut, part, useEverything } from '../show/whole';
import './diff.css';
import { rowsOf, type Row } from './folds';
import type { Line } from './rows';
import { useDifference } from './useDifference';

type Props = { left: string; right: string; names: readonly [string, string] };
type Way = 'side' | 'unified';

/** Rows that are drawn at first, and at most. */
const [FIRST, MOST] = [600, 20_000];

export function DiffView({ left, right, names }: Props) {
  const { found, error } = useDifference(left, right);
  const isPhone = useIsPhone();
  const everything = useEverything();
  const [chosen, setChosen] = useState<Way>('side');
  const [isAll, setAll] = useState(false);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [most, setMost] = useState(FIRST);
  const [at, setAt] = useState(0);
  const view = useRef<HTMLDivElement>(null);
  const way = isPhone ? 'unified' : chosen;
  const rows = useMemo(() => (found ? rowsOf(found.parts, opened, isAll) : []), [found, opened, isAll]);
  useEffect(() => {
    if (everything) setMost(MOST);
  }, [everything]);
  if (error)
    return (
      <Text c="dimmed" role="alert">
        The two could not be compared: {error}
      </Text>
    );
  if (!found) return <Loader size="sm" aria-label="Comparing" />;
  if (found.changes === 0) return <Text>The two are equal.</Text>;
  const go = (by: 1 | -1) => {
    const to = Math.min(found.changes, Math.max(1, at + by));
    setAt(to);
    const first = view.current?.querySelector<HTMLElement>(`[data-change="${to}"]`);
    if (!first || !view.current) return;
    // Only the view scrolls: the page around it stays where it is.
    view.current.scrollTo({ top: first.offsetTop - view.current.clientHeight / 4 });
  };
  const press = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
    go(event.key === 'ArrowDown' ? 1 : -1);
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = rows.slice(0, most);
  const open = (key: number) => {
    setOpened((now) => new Set(now).add(key));
    view.current?.focus({ preventScroll: true });
  };
  return (
    <section className="df viewer" aria-label={`Changes from ${names[0]} to ${names[1]}`} onKeyDown={press}>
      <div className="df-tools">
        <span className="df-sum" role="status">
          {at > 0
            ? `Change ${count(at)} of ${count(found.changes)}`
            : `${count(found.changes)} change${found.changes === 1 ? '' : 's'}`}
        </span>
        <span className="df-counts">
          <span className="df-gone">
            −{count(found.removed)}
            <span className="dim"> removed</span>
          </span>{' '}
          <span className="df-come">
            +{count(found.added)}
            <span className="dim"> added</span>
          </span>
        </span>
        <ActionIcon
          variant="default"
          size={28}
          aria-label="Previous change"
          title="Alt+Up"
          aria-disabled={at <= 1}
          onClick={() => go(-1)}
        >
          <IconUp size={16} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          size={28}
          aria-label="Next change"
          title="Alt+Down"
          aria-disabled={at >= found.changes}
          onClick={() => go(1)}
        >
          <IconDown size={16} />
        </ActionIcon>
        <span className="df-grow" />
        <Button
          size="compact-sm"
          variant={isAll ? 'light' : 'default'}
          aria-pressed={isAll}
          onClick={() => setAll(!isAll)}
        >
          All lines
        </Button>
        {!isPhone && (
          <SegmentedControl<Way>
            size="xs"
            aria-label="How the two are shown"
            value={way}
            onChange={setChosen}
            data={[
              { value: 'side', label: 'Side by side' },
              { value: 'unified', label: 'Unified' },
            ]}
          />
        )}
      </div>
      {found.isCoarse && (
        <Text size="sm" c="dimmed" px={12} py={4}>
          The two differ too much to be matched line by line: what lies between their equal ends is shown as replaced.
        </Text>
      )}
      <div className="df-view" ref={view} tabIndex={0} role="group" aria-label="Changes">
        {way === 'side' ? (
          <SideBySide rows={shown} names={names} onOpen={open} />
        ) : (
          <Unified rows={shown} names={names} onOpen={open} />
        )}
      </div>
      <div className="df-cut">
        <Cut
          parts={[part(shown.length, rows.length, 'lines of the comparison')]}
          onAll={most < MOST ? () => setMost(MOST) : undefined}
        />
      </div>
    </section>
  );
}

type LinesProps = { rows: readonly Row[]; names: readonly [string, string]; onOpen: (key: number) => void };

function SideBySide({ rows, names, onOpen }: LinesProps) {
  return (
    <table className="df-table df-side">
      <colgroup>
        <col className="df-col-n" />
        <col />
        <col className="df-col-n" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th colSpan={2} scope="colgroup" dir="auto">
            {names[0]}
          </th>
          <th colSpan={2} scope="colgroup" dir="auto">
            {names[1]}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) =>
          row.kind === 'fold' ? (
            <Fold key={index} row={row} columns={4} onOpen={onOpen} />
          ) : (
            <tr key={index} data-change={row.kind === 'pair' && row.isFirst ? row.change : undefined}>
              <Cell line={row.left} sign={row.kind === 'pair' ? '−' : ''} />
              <Cell line={row.right} sign={row.kind === 'pair' ? '+' : ''} />
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function Unified({ rows, names, onOpen }: LinesProps) {
  const blocks = useMemo(() => blocksOf(rows), [rows]);
  return (
    <table className="df-table df-one">
      <colgroup>
        <col className="df-col-n" />
        <col className="df-col-n" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th colSpan={3} scope="colgroup">
            <span className="df-gone" dir="auto">
              − {names[0]}
            </span>{' '}
            <span className="df-come" dir="auto">
              + {names[1]}
            </span>
          </th>
        </tr>
      </thead>
      <tbody>
        {blocks.map((block, index) => {
          if (block.kind === 'fold') return <Fold key={index} row={block} columns={3} onOpen={onOpen} />;
          if (block.kind === 'equal')
            return (
              <tr key={index}>
                <td className="df-n">{block.left.number}</td>
                <td className="df-n">{block.right.number}</td>
                <Text1 line={block.left} sign="" />
              </tr>
            );
          return (
            <Fragment key={index}>
              {block.left.map((line, each) => (
                <tr key={`l${each}`} data-change={each === 0 ? block.change : undefined}>
                  <td className="df-n df-del">{line.number}</td>
                  <td className="df-n df-del" />
                  <Text1 line={line} sign="−" />
                </tr>
              ))}
              {block.right.map((line, each) => (
                <tr key={`r${each}`} data-change={each === 0 && block.left.length === 0 ? block.change : undefined}>
                  <td className="df-n df-add" />
                  <td className="df-n df-add">{line.number}</td>
                  <Text1 line={line} sign="+" />
                </tr>
              ))}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

type Block = Extract<Row, { kind: 'fold' | 'equal' }> | { kind: 'block'; change: number; left: Line[]; right: Line[] };

/** The lines of a change together: first those that went, then those that came. */
function blocksOf(rows: readonly Row[]): Block[] {
  const blocks: Block[] = [];
  for (const row of rows) {
    if (row.kind !== 'pair') {
      blocks.push(row);
      continue;
    }
    const last = blocks.at(-1);
    const block: Extract<Block, { kind: 'block' }> =
      last?.kind === 'block' && last.change === row.change
        ? last
        : { kind: 'block', change: row.change, left: [], right: [] };
    if (block !== last) blocks.push(block);
    if (row.left) block.left.push(row.left);
    if (row.right) block.right.push(row.right);
  }
  return blocks;
}

function Fold({
  row,
  columns,
  onOpen,
}: {
  row: Extract<Row, { kind: 'fold' }>;
  columns: number;
  onOpen: (key: number) => void;
}) {
  return (
    <tr className="df-fold">
      <td colSpan={columns}>
        <button type="button" onClick={() => onOpen(row.key)}>
          <IconDown size={14} /> {count(row.many)} unchanged lines
        </button>
      </td>
    </tr>
  );
}

type Sign = '' | '+' | '−';
const SIDES: Record<Sign, string> = { '': '', '+': ' df-add', '−': ' df-del' };
const HEARD: Record<Sign, string> = { '': '', '+': 'added: ', '−': 'removed: ' };

function Cell({ line, sign }: { line: Line | undefined; sign: Sign }) {
  if (!line)
    return (
      <>
        <td className="df-n df-none" />
        <td className="df-none" />
      </>
    );
  return (
    <>
      <td className={`df-n${SIDES[sign]}`}>{line.number}</td>
      <Text1 line={line} sign={sign} />
    </>
  );
}

/** The text of a line. What it lost or gained is told by a sign, by the element, and by colour. */
function Text1({ line, sign }: { line: Line; sign: Sign }) {
  const Changed = sign === '+' ? 'ins' : 'del';
  return (
    <td className={`df-t${SIDES[sign]}`} data-sign={sign || undefined} dir="auto">
      {sign && <span className="df-heard">{HEARD[sign]}</span>}
      {line.runs.map(({ text, isChanged }, at) =>
        sign && isChanged && text !== '' ? <Changed key={at}>{text}</Changed> : <Fragment key={at}>{text}</Fragment>,
      )}
    </td>
  );
}
