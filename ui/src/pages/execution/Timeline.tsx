import { Loader, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ExecutionView } from '../../api/types';
import { QueryError } from '../../app/PageError';
import type { Item } from '../../graph/model';
import { PhaseIcon, phaseWord } from '../../graph/phases';
import { clock, length, useNow } from '../../show/time';
import { barsOf, type Bar } from './history';
import { ordered } from './NodeList';
import { historyQuery } from './queries';

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const AT_FIRST = 200;

type Props = { execution: ExecutionView; items: readonly Item[]; chosen: string; onChoose: (id: string) => void };

/** When each node ran, waited for a person, or slept: a bar for each, and for each attempt. */
export function Timeline({ execution, items, chosen, onChoose }: Props) {
  const history = useQuery(historyQuery(execution));
  const [shown, setShown] = useState(AT_FIRST);
  const isOver = ['SUCCEEDED', 'FAILED', 'ABORTED'].includes(execution.phase);
  const now = useNow(!isOver);
  if (history.error)
    return <QueryError error={history.error} retry={() => void history.refetch()} what="The history" />;
  if (!history.data) return <Loader aria-label="Loading the history" />;
  const bars = barsOf(history.data, execution);
  const from = Date.parse(execution.launched);
  const to = Math.max(isOver ? Date.parse(execution.changed) : now, from + 1);
  const rows = ordered(items).filter(({ item }) => item.phase !== 'SKIPPED');
  return (
    <section className="card ex-timeline" aria-label="Timeline">
      <div className="ex-line ex-scale" aria-hidden>
        <span />
        <div className="ex-track">
          {TICKS.map((each) => (
            <span key={each} style={{ insetInlineStart: `${each * 100}%` }}>
              {each === 0 ? clock(new Date(from)) : `+${length((to - from) * each)}`}
            </span>
          ))}
        </div>
      </div>
      <ol>
        {rows.slice(0, shown).map(({ item, depth }) => (
          <li key={item.id} className={`ex-line ${chosen === item.id ? 'ex-chosen' : ''}`}>
            <UnstyledButton
              className="ex-name"
              style={{ paddingInlineStart: depth * 14 }}
              onClick={() => onChoose(item.id)}
              aria-pressed={chosen === item.id}
            >
              <span className={`ex-dot phase-${item.phase}`}>
                <PhaseIcon phase={item.phase} size={14} />
              </span>
              {item.name}
            </UnstyledButton>
            <div className="ex-track">
              {(bars.get(item.id) ?? []).map((bar) => (
                <Drawn key={`${bar.from} ${bar.phase}`} bar={bar} item={item} from={from} to={to} />
              ))}
              {!bars.has(item.id) && <span className="ex-none dim">not yet</span>}
            </div>
          </li>
        ))}
      </ol>
      {rows.length > shown && (
        <UnstyledButton className="ex-more" onClick={() => setShown((many) => many + AT_FIRST)}>
          Show more ({rows.length - shown} left)
        </UnstyledButton>
      )}
      <Text fz="sm" c="dimmed" mt="xs" className="ex-legend">
        {['RUNNING', 'WAITING', 'SLEEPING', 'QUEUED'].map((each) => (
          <span key={each}>
            <i className={`ex-bar ex-bar-${each} phase-${each}`} /> {phaseWord(each)}
          </span>
        ))}
      </Text>
    </section>
  );
}

function Drawn({ bar, item, from, to }: { bar: Bar; item: Item; from: number; to: number }) {
  const end = bar.to ?? to;
  const start = ((bar.from - from) / (to - from)) * 100;
  const width = ((end - bar.from) / (to - from)) * 100;
  const who = bar.phase === 'WAITING' && item.node?.answer ? `, answered by ${item.node.answer.who}` : '';
  const says = `${phaseWord(bar.phase)} for ${length(end - bar.from)}${bar.attempt > 0 ? `, attempt ${bar.attempt}` : ''}${who}`;
  const ended = bar.phase === 'RUNNING' && bar.to !== null ? item.phase : bar.phase;
  return (
    <span
      className={`ex-bar ex-bar-${bar.phase} phase-${ended === 'FAILED' || ended === 'SUCCEEDED' ? ended : bar.phase}`}
      style={{ insetInlineStart: `${Math.min(start, 99.6)}%`, width: `max(3px, ${width}%)` }}
      role="img"
      aria-label={says}
      title={says}
    >
      {who && width > 20 && <em>{item.node?.answer?.who}</em>}
    </span>
  );
}
