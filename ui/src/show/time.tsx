import { useEffect, useState } from 'react';

const SECOND = 1_000;
const UNITS: [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Write a span of milliseconds in one or two units: `2 h 5 min`. */
export function span(milliseconds: number, most = 2): string {
  let seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const many = Math.floor(seconds / size);
    if (many > 0 || (size === 1 && parts.length === 0)) parts.push(`${many} ${name}`);
    else if (parts.length > 0) break;
    seconds -= many * size;
    if (parts.length === most) break;
  }
  return parts.join(' ');
}

/** Write a span of milliseconds as exactly as the page knows it. */
export function length(milliseconds: number): string {
  // The page knows whole milliseconds: less than one reads as none.
  if (milliseconds === 0) return '<1 ms';
  return milliseconds < SECOND ? `${Math.max(0, Math.round(milliseconds))} ms` : span(milliseconds);
}

// Made once: making one takes longer than all else in a row of a list.
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

export function clock(at: Date): string {
  return CLOCK.format(at);
}

/** Write an instant with its zone. */
export function exact(at: Date): string {
  return EXACT.format(at);
}

/** The time, as often as it matters: each second when `fine`, else each ten seconds. */
export function useNow(fine = false): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), fine ? SECOND : 10 * SECOND);
    return () => window.clearInterval(timer);
  }, [fine]);
  return now;
}

const MINUTE = 60 * SECOND;

/** The time of lists: it moves each half minute, so that rows are drawn again no oftener. */
export function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), MINUTE / 2);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

export function Ago({ at }: { at: string }) {
  const date = new Date(at);
  const passed = useNow() - date.getTime();
  return <Exact date={date}>{passed < 10 * SECOND ? 'just now' : `${span(passed, 1)} ago`}</Exact>;
}

const SOON = 3_600 * SECOND;

/** How much time is left; soon is amber, and says so. */
export function TimeLeft({ due }: { due: string | null }) {
  const date = due === null ? undefined : new Date(due);
  const left = (date?.getTime() ?? Infinity) - useNow(true);
  if (date === undefined) return <span className="dim">no limit</span>;
  return (
    <Exact date={date}>
      <span className={left < SOON ? 'soon' : undefined}>{left <= 0 ? 'time is up' : `${span(left)} left`}</span>
    </Exact>
  );
}

/** The instant itself stands in the title, and beside a row that has the focus. */
function Exact({ date, children }: { date: Date; children: React.ReactNode }) {
  const whole = exact(date);
  return (
    <time dateTime={date.toISOString()} title={whole} data-exact={whole}>
      {children}
    </time>
  );
}
