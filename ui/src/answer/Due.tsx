/** When it is due, and what happens if nobody answers. */
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { IconClock } from '../app/icons';
import { brief } from '../show/brief';
import { exact, span, useNow } from '../show/time';
import { announced, dueWords, SOON_MS } from './due';
import { Sentence } from './Sentence';
import { leadOf, type Asked } from './view';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function Due({ view }: { view: Asked }) {
  const now = useNow(view.due !== null);
  if (view.due === null)
    return (
      <div className="an-due">
        <p className="an-due-big">
          <IconClock size={16} /> No due date
        </p>
        <p className="dim small">This waits until somebody answers.</p>
      </div>
    );
  const due = new Date(view.due);
  const left = due.getTime() - now;
  const isSoon = left < SOON_MS;
  const words = dueWords(due, new Date(now));
  return (
    <div className="an-due">
      <p className={isSoon ? 'an-due-big soon' : 'an-due-big'}>
        <IconClock size={16} />{' '}
        <time dateTime={due.toISOString()} title={exact(due)}>
          {left <= 0 ? 'Time is up' : isSoon ? `${span(left)} left` : `Due ${words}`}
        </time>
      </p>
      <p className="dim small">
        {isSoon && `Due ${words} (${ZONE}). `}If there is no answer by then, <b>{silence(view)}</b>.
      </p>
      <Countdown left={left} />
    </div>
  );
}

/** What silence does, in a clause. */
export function silence(view: Asked): React.ReactNode {
  const lead = leadOf(view, 'timeout');
  if (lead?.text) return <Sentence text={lead.text} />;
  if (view.on_timeout === undefined) return 'the question times out, and the execution fails';
  const answer =
    view.kind === 'approve' ? (view.on_timeout === true ? 'approved' : 'rejected') : brief(view.on_timeout);
  return `this is taken as the answer: ${answer}`;
}

/** On a phone, above everything else. */
export function DueStrip({ view }: { view: Asked }) {
  const now = useNow(view.due !== null);
  if (view.due === null) return null;
  const left = new Date(view.due).getTime() - now;
  const isSoon = left < SOON_MS;
  return (
    <p className={isSoon ? 'an-due-strip soon' : 'an-due-strip'} aria-hidden>
      <IconClock size={14} />
      <b>
        {left <= 0
          ? 'Time is up'
          : isSoon
            ? `${span(left, 1)} left`
            : `Due ${dueWords(new Date(view.due), new Date(now))}`}
      </b>{' '}
      <span>then {silence(view)}</span>
    </p>
  );
}

const URGENT_MS = 5 * 60_000;

/** Tell people who do not see the clock. */
function Countdown({ left }: { left: number }) {
  const before = useRef(left);
  const [told, setTold] = useState('');
  useEffect(() => {
    const said = announced(before.current, left);
    before.current = left;
    if (said) setTold(said);
  }, [left]);
  const isUrgent = left <= URGENT_MS;
  return (
    <VisuallyHidden role={isUrgent ? 'alert' : undefined} aria-live={isUrgent ? 'assertive' : 'polite'}>
      {told}
    </VisuallyHidden>
  );
}
