/** When a decision is due, in words, and when to say how little time is left. */
import { clock } from '../show/time';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Under this much, what is left counts, and is amber. */
export const SOON_MS = 60 * MINUTE_MS;

const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** `today 16:00`, `tomorrow 09:00`, `Wed 12:00` within a week, else the date. */
export function dueWords(due: Date, now: Date): string {
  const days = Math.round((midnight(due) - midnight(now)) / DAY_MS);
  return `${dayWords(due, days)} ${clock(due)}`;
}

function dayWords(due: Date, days: number): string {
  if (days === 0) return 'today';
  if (days === 1) return 'tomorrow';
  if (days === -1) return 'yesterday';
  return days > 0 && days < 7 ? WEEKDAY.format(due) : DAY.format(due);
}

const midnight = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

const TOLD: [number, string][] = [
  [60, '1 hour left to decide.'],
  [15, '15 minutes left to decide.'],
  [5, '5 minutes left to decide.'],
  [1, '1 minute left to decide.'],
];

/** What is read out when so much time is left; `before` is what was left when it was looked at last. Nothing in between. */
export function announced(before: number, left: number): string {
  const crossed = TOLD.filter(([minutes]) => before > minutes * MINUTE_MS && left <= minutes * MINUTE_MS && left > 0);
  return crossed.at(-1)?.[1] ?? '';
}
