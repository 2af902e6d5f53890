import { expect, test } from 'vitest';
import type { WaitingView } from '../../api/types';
import { cameAfter, newsOf } from './news';

const NOW = new Date(2026, 10, 28, 15, 12).getTime();
const view = (title: string, opened: number, due: number | null = null) =>
  ({
    title,
    name: 'gate',
    opened: new Date(NOW + opened).toISOString(),
    due: due === null ? null : new Date(NOW + due).toISOString(),
  }) as WaitingView;

test('one new question is named with the time that is left, and several are counted', () => {
  expect(newsOf(1, false, view('Release SEPA batch', 0, 48 * 60_000), NOW)).toBe(
    '1 new question: Release SEPA batch, 48 minutes left.',
  );
  expect(newsOf(1, false, view('', 0), NOW)).toBe('1 new question: gate.');
  expect(newsOf(3, false, view('x', 0), NOW)).toBe('3 new questions.');
  expect(newsOf(3, true, view('x', 0), NOW)).toBe('3 or more new questions.');
  expect(newsOf(0, true, undefined, NOW)).toBe('New questions.');
  expect(newsOf(0, false, undefined, NOW)).toBe('');
});

test('what scrolling loads is not new, and what was asked after all the others is', () => {
  const before = [view('a', -3_000), view('b', -1_000)];
  const titles = (items: WaitingView[]) => cameAfter(before, items).map((each) => each.title);
  expect(titles([...before, view('older', -9_000)])).toEqual([]);
  expect(titles([view('new', 0), ...before])).toEqual(['new']);
  expect(cameAfter([], before)).toHaveLength(2);
});
