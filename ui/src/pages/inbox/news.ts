/** New questions, in the words in which they are read out. */
import { useEffect, useRef } from 'react';
import type { Arrivals } from '../../api/arrivals';
import type { WaitingView } from '../../api/types';
import { announce } from '../../app/announce';
import { dueWords } from './groups';

/** `1 new question: Release SEPA batch, 48 minutes left.` Of several, only their number. */
export function newsOf(count: number, isLeast: boolean, newest: WaitingView | undefined, now: number): string {
  if (count === 1 && !isLeast && newest) {
    const due = newest.due === null ? '' : `, ${dueWords(newest.due, now).replace(/ min left$/, ' minutes left')}`;
    return `1 new question: ${newest.title || newest.name}${due}.`;
  }
  if (count === 0) return isLeast ? 'New questions.' : '';
  return `${count}${isLeast ? ' or more' : ''} new questions.`;
}

/** Return those that were asked after all that were there before. */
export function cameAfter(before: readonly WaitingView[], items: readonly WaitingView[]): WaitingView[] {
  const latest = before.reduce((last, each) => Math.max(last, Date.parse(each.opened)), 0);
  return items.filter((each) => Date.parse(each.opened) > latest);
}

/** Read out what comes into a list, or waits to be shown in it. `list` is undefined until it is loaded. */
export function useNews(list: string, items: readonly WaitingView[] | undefined, arrivals: Arrivals): void {
  const before = useRef<{ list: string; items: readonly WaitingView[] }>(undefined);
  useEffect(() => {
    if (items === undefined) return;
    const old = before.current;
    before.current = { list, items };
    if (old?.list !== list) return;
    const fresh = cameAfter(old.items, items);
    if (fresh.length > 0) announce(newsOf(fresh.length, false, fresh.at(-1), Date.now()));
  }, [list, items]);
  const { count, isLeast, newest } = arrivals;
  useEffect(() => {
    const told = newsOf(count, isLeast, newest, Date.now());
    if (told) announce(told);
  }, [count, isLeast, newest]);
}
