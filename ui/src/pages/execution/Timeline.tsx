import { Loader, Title, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { ExecutionView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import type { Item } from '../../graph/model';
import { ENDED, PhaseIcon, phaseWord } from '../../graph/phases';
import { linesOf, type Round, type Rounds } from '../../graph/rounds';
import { asksNow, isLeftOut } from '../../graph/states';
import type { Loops } from '../../graph/useFolds';
import { clock, length, useNow } from '../../show/time';
import { barsOf, type Bar } from './history';
import { historyQuery } from './queries';
import { rowsOf, type Row } from './rows';
import './timeline.css';

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const AT_FIRST = 100;
const DEEPEST = 6;
const INDENT = 14;
const WIDE = 20;
const NEAR = 0.12;
const SHUT: ReadonlySet<string> = new Set();
const LEGEND = [
  ['RUNNING', 'ran'],
  ['WAITING', 'waited for people'],
  ['DUE', 'until due'],
  ['SLEEPING', 'slept'],
  ['QUEUED', 'queued'],
  ['FAILED', 'failed attempt'],
] as const;

type Props = {
  execution: ExecutionView;
  items: readonly Item[];
  loops: Loops;
  chosen: string;
  onChoose: (id: string) => void;
};
type Scale = { from: number; to: number };

/** When each node ran, waited for a person, or slept: a bar for each, and for each attempt. */
export function Timeline({ execution, items, loops, chosen, onChoose }: Props) {
  const history = useQuery(historyQuery(execution));
  const [shown, setShown] = useState(AT_FIRST);
  const isOver = ENDED.has(execution.phase);
  const now = useNow(!isOver);
  const bars = useMemo(() => barsOf(history.data ?? [], execution), [history.data, execution]);
  const rows = useMemo(
    () => rowsOf(items, SHUT).filter(({ item }) => !isLeftOut(item) && item.kind !== 'fail'),
    [items],
  );
  if (history.error)
    return <QueryError error={history.error} retry={() => void history.refetch()} what="The history" />;
  if (!history.data) return <Loader aria-label="Loading the history" m="sm" />;
  const from = Date.parse(execution.launched);
  const until = Math.max(isOver ? Date.parse(execution.changed) : now, from + 1);
  const due = isOver ? undefined : dueWithin(items, from, until);
  const scale = { from, to: due ?? until };
  return (
    <section className="ex-timeline" aria-label="Timeline">
      <div className="ex-line ex-scale">
        <Title order={2} className="ex-part-title">
          Timeline
        </Title>
        <div className="ex-track" aria-hidden>
          {ticksFor(due === undefined ? undefined : (until - from) / (scale.to - from)).map((each) => (
            <span key={each} style={{ insetInlineStart: `${each * 100}%` }}>
              {each === 0 ? clock(new Date(from)) : `+${mark((scale.to - from) * each, scale.to - from)}`}
            </span>
          ))}
          {due !== undefined && (
            <>
              <span className="ex-now" style={{ insetInlineStart: percent(until, scale) }}>
                now
              </span>
              <span className="ex-due" style={{ insetInlineStart: '100%' }}>
                due {clock(new Date(due))}
              </span>
            </>
          )}
        </div>
        <span className="ex-took" aria-hidden>
          took
        </span>
      </div>
      <ol>
        {rows.slice(0, shown).map((row) => (
          <Line
            key={row.item.id}
            row={row}
            bars={bars}
            rounds={loops.rounds.get(row.item.id)}
            scale={scale}
            until={until}
            isChosen={chosen === row.item.id}
            onChoose={onChoose}
          />
        ))}
      </ol>
      {rows.length > shown && (
        <UnstyledButton className="ex-more" onClick={() => setShown((many) => many + AT_FIRST)}>
          Show more ({(rows.length - shown).toLocaleString()} left)
        </UnstyledButton>
      )}
      <p className="ex-legend">
        {LEGEND.map(([look, word]) => (
          <span key={look}>
            <i className={`ex-bar ex-bar-${look} phase-${look === 'RUNNING' ? 'SUCCEEDED' : look}`} /> {word}
          </span>
        ))}
      </p>
    </section>
  );
}

/** When the next answer is due, if the time until then is not much longer than what has passed. */
function dueWithin(items: readonly Item[], from: number, until: number): number | undefined {
  const all = items.flatMap((each) => (asksNow(each) && each.node?.due ? [Date.parse(each.node.due)] : []));
  const next = Math.min(...all);
  return next > until && next - until < (until - from) * 3 ? next : undefined;
}

/** Where the scale says how late it is: not where it says `now`. */
function ticksFor(now: number | undefined): number[] {
  return now === undefined ? TICKS : TICKS.filter((each) => each < 1 && (each === 0 || Math.abs(each - now) > NEAR));
}

function percent(at: number, { from, to }: Scale): string {
  return `${(Math.min(Math.max(at - from, 0), to - from) / (to - from)) * 100}%`;
}

type LineProps = {
  row: Row;
  bars: ReadonlyMap<string, Bar[]>;
  rounds: Rounds | undefined;
  scale: Scale;
  until: number;
  isChosen: boolean;
  onChoose: (id: string) => void;
};

function Line({ row: { item, depth, members }, bars, rounds, scale, until, isChosen, onChoose }: LineProps) {
  const own = members.length > 0 ? [spanOf(members, until)].flatMap((each) => each ?? []) : (bars.get(item.id) ?? []);
  const [first, last] = [own[0], own.at(-1)];
  const isFrame = rounds !== undefined || item.kind === 'workflow' || item.dynamic;
  const due = asksNow(item) && item.node?.due ? Date.parse(item.node.due) : undefined;
  return (
    <>
      <li className={`ex-line ${isChosen ? 'ex-chosen' : ''}`}>
        <Name depth={depth} look={item.phase}>
          {members.length > 0 ? (
            <span className="ex-name">{item.name}</span>
          ) : (
            <UnstyledButton className="ex-name" onClick={() => onChoose(item.id)} aria-pressed={isChosen}>
              {item.name}
            </UnstyledButton>
          )}
        </Name>
        <div className="ex-track">
          {own.map((bar) => (
            <Drawn
              key={`${bar.from} ${bar.phase}`}
              bar={bar}
              isFrame={isFrame}
              item={item}
              isLast={bar === last}
              scale={scale}
              until={until}
            />
          ))}
          {due !== undefined && (
            <span
              className="ex-bar ex-bar-DUE phase-WAITING"
              style={{ insetInlineStart: percent(until, scale), insetInlineEnd: `calc(100% - ${percent(due, scale)})` }}
              aria-hidden
            />
          )}
        </div>
        <span className="ex-took">{first === undefined ? '' : length((last?.to ?? until) - first.from)}</span>
      </li>
      {rounds &&
        timesOf(rounds).map((round) => (
          <RoundLine
            key={round.number}
            round={round}
            depth={depth + 1}
            look={lookOf(round, rounds.rounds, item)}
            scale={scale}
            until={until}
          />
        ))}
    </>
  );
}

type Times = Round & { to?: number };

/** Return the rounds of a loop as it shows them: those in the middle as one, and the last one too. */
function timesOf(rounds: Rounds): Times[] {
  const all = rounds.rounds;
  const lines = linesOf({ ...rounds, open: all.at(-1)?.number ?? 0 }).map((line): Times => {
    if ('round' in line) return line.round;
    const [first, last] = [all[line.from - 1], all[line.to - 1]];
    return {
      number: line.from,
      to: line.to,
      phase: line.phase,
      figures: [],
      began: first?.began ?? null,
      ended: last?.ended ?? null,
    };
  });
  return [...lines, ...all.slice(-1)];
}

/** The last round is as far as its loop. */
function lookOf(round: Round, rounds: readonly Round[], item: Item): string {
  return round === rounds.at(-1) ? item.phase : round.phase;
}

function RoundLine({
  round,
  depth,
  look,
  scale,
  until,
}: {
  round: Times;
  depth: number;
  look: string;
  scale: Scale;
  until: number;
}) {
  const from = round.began === null ? undefined : Date.parse(round.began);
  const to = round.ended === null ? until : Date.parse(round.ended);
  return (
    <li className="ex-line">
      <Name depth={depth} look={look}>
        <span className="ex-name">
          {round.to === undefined ? `round ${round.number}` : `rounds ${round.number} to ${round.to}`}
        </span>
      </Name>
      <div className="ex-track">
        {from !== undefined && (
          <span
            className={`ex-bar ex-bar-ROUND phase-${look}`}
            style={{ insetInlineStart: percent(from, scale), insetInlineEnd: `calc(100% - ${percent(to, scale)})` }}
            role="img"
            aria-label={`Round ${round.number}, ${phaseWord(look)}, ${length(to - from)}`}
          />
        )}
      </div>
      <span className="ex-took">{from !== undefined && length(to - from)}</span>
    </li>
  );
}

function Name({ depth, look, children }: { depth: number; look: string; children: React.ReactNode }) {
  return (
    <span className="ex-line-name" style={{ paddingInlineStart: Math.min(depth, DEEPEST) * INDENT }}>
      <span className={`ex-dot phase-${look}`}>
        <PhaseIcon phase={look} size={13} />
      </span>
      {children}
    </span>
  );
}

/** Return one bar for many nodes that are alike: from the first that began to the last that ended. */
function spanOf(members: readonly Item[], until: number): Bar | undefined {
  const began = members.flatMap(({ node }) => (node?.began ? [Date.parse(node.began)] : []));
  if (began.length === 0) return undefined;
  const isOver = members.every(({ phase }) => ENDED.has(phase));
  const ended = members.flatMap(({ node }) => (node?.ended ? [Date.parse(node.ended)] : []));
  const earliest = began.reduce((one, other) => Math.min(one, other));
  const latest = ended.reduce((one, other) => Math.max(one, other), earliest);
  return { phase: 'RUNNING', from: earliest, to: isOver ? latest : until, attempt: 0 };
}

function Drawn({
  bar,
  item,
  isFrame,
  isLast,
  scale,
  until,
}: {
  bar: Bar;
  item: Item;
  isFrame: boolean;
  isLast: boolean;
  scale: Scale;
  until: number;
}) {
  const end = bar.to ?? until;
  const start = ((bar.from - scale.from) / (scale.to - scale.from)) * 100;
  const width = ((end - bar.from) / (scale.to - scale.from)) * 100;
  const who = bar.phase === 'WAITING' && item.node?.answer ? `, answered by ${item.node.answer.who}` : '';
  const ended = bar.phase === 'RUNNING' && bar.to !== null ? endOf(bar, item, isLast) : bar.phase;
  const says = `${phaseWord(bar.phase)} for ${length(end - bar.from)}${bar.attempt > 0 ? `, attempt ${bar.attempt}` : ''}${ended === 'FAILED' ? ', failed' : ''}${who}`;
  return (
    <span
      className={isFrame ? `ex-bar ex-bar-ROUND phase-${item.phase}` : `ex-bar ex-bar-${bar.phase} phase-${ended}`}
      style={{ insetInlineStart: `${Math.min(start, 99.6)}%`, width: `max(3px, ${width}%)` }}
      role="img"
      aria-label={says}
      title={says}
    >
      {who && width > WIDE && <em>{item.node?.answer?.who}</em>}
    </span>
  );
}

/** How an attempt ended: an attempt before the last failed, and the last is what the node is. */
function endOf(bar: Bar, item: Item, isLast: boolean): string {
  if (bar.attempt > 0 && bar.attempt < (item.node?.attempts ?? 0) && item.kind === 'task') return 'FAILED';
  return isLast && (item.phase === 'FAILED' || item.phase === 'SUCCEEDED') ? item.phase : 'RUNNING';
}

const SECOND = 1_000;
const TENTHS = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A mark of the scale: within a few seconds, whole ones would name several marks alike. */
function mark(at: number, all: number): string {
  return at < SECOND || all >= 10 * SECOND ? length(at) : `${TENTHS.format(at / SECOND)} s`;
}
