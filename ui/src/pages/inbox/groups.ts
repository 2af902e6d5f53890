/** The inbox by when things are due: its groups, and how a due time and an age are written in a row. */
import type { WaitingView } from '../../api/types';

export type Group = 'overdue' | 'hour' | 'today' | 'week' | 'later' | 'none';

export const GROUPS: Record<Group, string> = {
  overdue: 'Overdue',
  hour: 'Due within the hour',
  today: 'Today',
  week: 'This week',
  later: 'Later',
  none: 'No due date',
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Minutes east of UTC, as the server is told where a day ends. */
export function zoneOf(at: Date): number {
  return -at.getTimezoneOffset();
}

/** Return the last instant of a day and of its week of seven days, as the clocks here show them. */
function bounds(now: number): { today: number; week: number } {
  const at = new Date(now);
  const midnight = (days: number) => new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
  return { today: Math.max(midnight(1), now + HOUR), week: Math.max(midnight(7), now + HOUR) };
}

export function groupOf(due: string | null, now: number): Group {
  if (due === null) return 'none';
  const at = Date.parse(due);
  if (at < now) return 'overdue';
  if (at < now + HOUR) return 'hour';
  const { today, week } = bounds(now);
  return at < today ? 'today' : at < week ? 'week' : 'later';
}

/** Whether to sort by `due` groups the list: another order would tear its groups apart. */
export function isGrouped(sort: string): boolean {
  return sort === '' || sort === 'due';
}

export type Entry = { head: Group; count: number; isWhole: boolean } | { view: WaitingView };

/** Return the rows of a list in the order in which they came, with a head before each group. The last group may go on in the next page. */
export function grouped(views: readonly WaitingView[], now: number, isEnd: boolean): Entry[] {
  const found: Entry[] = [];
  let head: Extract<Entry, { head: Group }> | undefined;
  for (const view of views) {
    const group = groupOf(view.due, now);
    if (head?.head !== group) {
      if (head) head.isWhole = true;
      head = { head: group, count: 0, isWhole: isEnd };
      found.push(head);
    }
    head.count += 1;
    found.push({ view });
  }
  return found;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const DATE = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/** Return when something is due in a word or two: minutes within the hour, a time today, a day this week, else a date. */
export function dueWords(due: string | null, now: number): string {
  if (due === null) return 'no due date';
  const at = new Date(due);
  switch (groupOf(due, now)) {
    case 'overdue':
      return `${age(due, now)} late`;
    case 'hour':
      return `${Math.floor((at.getTime() - now) / MINUTE)} min left`;
    case 'today':
      return CLOCK.format(at);
    case 'week':
      return `${WEEKDAY.format(at)} ${CLOCK.format(at)}`;
    default:
      return (at.getFullYear() === new Date(now).getFullYear() ? DATE : YEAR).format(at);
  }
}

/** Return how long ago something was, in one unit: `25 m`, `5 h`, `3 d`. */
export function age(since: string, now: number): string {
  const passed = Math.max(0, now - Date.parse(since));
  if (passed < MINUTE) return 'now';
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} m`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h`;
  return `${Math.floor(passed / DAY)} d`;
}
