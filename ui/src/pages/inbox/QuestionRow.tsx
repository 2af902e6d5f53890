import { Checkbox } from '@mantine/core';
import { memo } from 'react';
import { isObject } from '../../api/json';
import { taskId } from '../../api/queries';
import type { WaitingView } from '../../api/types';
import { IconAlert, IconApproval, IconForm } from '../../app/icons';
import { brief } from '../../show/brief';
import { bytes } from '../../show/numbers';
import { isBlob, type StoredFile } from '../../show/blob';
import { cutParts, sizeOf } from '../../show/cut';
import { DamagedBadge } from '../../show/DamagedBadge';
import { firstLine } from '../../show/plain';
import { exact } from '../../show/time';
import { figureWords, isNumber } from './figures';
import { age, dueWords, groupOf } from './groups';

const LINE = 200;
const FIELD = 60;
const FIGURES = 3;

type Props = {
  view: WaitingView;
  columns: readonly string[] | undefined;
  /** The time, to the minute or so: a row is redrawn with it. */
  now: number;
  isSelected: boolean;
  isSelectable: boolean;
  onToggle: (view: WaitingView, range: boolean) => void;
  onOpen: (id: string) => void;
};

/** One question: what is asked, its figures, where it comes from, and until when. `columns` are shown one by one. */
export const QuestionRow = memo(function QuestionRow(props: Props) {
  const { view, columns, now, isSelected, isSelectable, onToggle, onOpen } = props;
  const title = view.title || view.name;
  const prompt = view.damaged || firstLine(view.prompt);
  const open = (event: React.MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onOpen(taskId(view));
  };
  const isSoon = ['overdue', 'hour'].includes(groupOf(view.due, now));
  return (
    <div className={isSelected ? 'qrow qrow-selected' : 'qrow'}>
      <span className="q-pick">
        {isSelectable && (
          <Checkbox
            size="sm"
            aria-label={`Select ${title} of ${view.execution}`}
            checked={isSelected}
            onChange={(event) => onToggle(view, (event.nativeEvent as unknown as MouseEvent).shiftKey)}
          />
        )}
      </span>
      <Kind view={view} />
      <div className="q-title">
        <a
          className="open"
          href={`#/?task=${encodeURIComponent(taskId(view))}`}
          onClick={open}
          dir="auto"
          title={`${title}\n${view.workflow} ${view.execution}`}
        >
          {title}
          <span className="q-id"> {view.execution}</span>
        </a>
        {view.damaged && <DamagedBadge />}
        {prompt && (
          <span className={view.damaged ? 'q-prompt bad' : 'q-prompt'} dir="auto">
            {prompt}
          </span>
        )}
      </div>
      {columns && <Cells view={view} columns={columns} />}
      <Figures view={view} />
      <span className="q-workflow ell" title={view.workflow}>
        <bdi>{view.workflow}</bdi>
      </span>
      <span className="q-who ell" title={view.may ? undefined : view.who_may}>
        {view.may ? view.launched_by : <span className="dim">not yours to answer</span>}
      </span>
      <time className="q-age" dateTime={view.opened} title={`Asked ${exact(new Date(view.opened))}`}>
        {age(view.opened, now)}
      </time>
      <span className={isSoon ? 'q-due soon' : 'q-due'}>
        {view.due === null ? (
          <span className="dim">{dueWords(null, now)}</span>
        ) : (
          <time dateTime={view.due} title={exact(new Date(view.due))}>
            {dueWords(view.due, now)}
          </time>
        )}
      </span>
    </div>
  );
});

function Kind({ view }: { view: WaitingView }) {
  const [word, Icon] = view.damaged
    ? (['Damaged', IconAlert] as const)
    : view.kind === 'approve'
      ? (['Approval', IconApproval] as const)
      : (['Input', IconForm] as const);
  return (
    <span className="q-kind" title={word}>
      <Icon size={16} />
      <span className="vh">{word}</span>
    </span>
  );
}

/** The figures in a line; without any, the beginning of what it is about. */
function Figures({ view }: { view: WaitingView }) {
  const figures = Object.entries(view.figures).slice(0, FIGURES);
  const cut = cutParts(view);
  return (
    <div className="q-figures">
      {figures.map(([name, value]) => (
        <span key={name} title={`${name}: ${brief(value, LINE)}`} dir="auto">
          <b>{figureWords(value)}</b> {name}
        </span>
      ))}
      {figures.length === 0 && (
        <>
          <span className="ell">{subject(view)}</span>
          {cut.length > 0 && <span className="q-cut">truncated, {bytes(sizeOf(cut))}</span>}
        </>
      )}
    </div>
  );
}

function Cells({ view, columns }: { view: WaitingView; columns: readonly string[] }) {
  return columns.map((name) => {
    const value = view.figures[name];
    return (
      <span
        key={name}
        className={isNumber(value) ? 'q-cell num' : 'q-cell'}
        title={value === undefined ? undefined : `${name}: ${brief(value, LINE)}`}
        dir="auto"
      >
        <span className="vh">{name}: </span>
        {value === undefined ? '' : figureWords(value)}
      </span>
    );
  });
}

/** Return the beginning of what a question is about, in a line. */
export function subject(view: WaitingView): string {
  if (view.value !== undefined && isBlob(view.value)) return fileWords(view.value);
  if (isObject(view.value)) {
    const told = new Set(Object.keys(view.figures));
    const rest = Object.entries(view.value).filter(([name]) => !told.has(name));
    return rest
      .map(([name, value]) => `${name} ${brief(value, FIELD)}`)
      .join(', ')
      .slice(0, LINE);
  }
  if (view.value !== undefined) return brief(view.value, LINE);
  return cutParts(view)
    .slice(0, 1)
    .map(({ label, text }) => `${label} ${brief(text, LINE)}`.trim())
    .join('');
}

function fileWords(file: StoredFile): string {
  const { name, about, size } = file;
  const told = [name, about].find((each) => typeof each === 'string' && each !== '') ?? 'a file';
  return typeof size === 'number' ? `${String(told)}, ${bytes(size)}` : String(told);
}
