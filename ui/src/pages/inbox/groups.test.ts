import { expect, test } from 'vitest';
import type { WaitingView } from '../../api/types';
import { age, dueWords, grouped, groupOf, isGrouped } from './groups';

const NOW = new Date(2026, 10, 28, 15, 12).getTime();
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).toISOString();
const view = (due: string | null) => ({ due }) as WaitingView;

test.each([
  [at(28, 15, 11), 'overdue'],
  [at(28, 15, 13), 'hour'],
  [at(28, 16, 12), 'today'],
  [at(28, 23, 59), 'today'],
  [at(29, 0), 'week'],
  [at(34, 23, 59), 'week'],
  [at(35, 0), 'later'],
  [null, 'none'],
])('what is due at %s is in the group %s', (due, group) => {
  expect(groupOf(due, NOW)).toBe(group);
});

test('within the hour before midnight, what is due after it is still within the hour', () => {
  const late = new Date(2026, 10, 28, 23, 30).getTime();
  expect(groupOf(at(29, 0, 15), late)).toBe('hour');
  expect(groupOf(at(29, 0, 45), late)).toBe('week');
});

test('a head counts its rows, and the last one says whether more may come', () => {
  const rows = [view(at(28, 15, 30)), view(at(28, 15, 40)), view(at(28, 18))];
  const heads = (isEnd: boolean) => grouped(rows, NOW, isEnd).filter((each) => 'head' in each);

  expect(grouped(rows, NOW, true)).toHaveLength(5);
  expect(heads(false)).toEqual([
    { head: 'hour', count: 2, isWhole: true },
    { head: 'today', count: 1, isWhole: false },
  ]);
  expect(heads(true)[1]).toMatchObject({ isWhole: true });
});

test('only the order by due time has groups', () => {
  expect(['', 'due', '-due', 'title', 'figure:amount'].map(isGrouped)).toEqual([true, true, false, false, false]);
});

test('a due time says no more than its distance needs', () => {
  expect(dueWords(at(28, 16), NOW)).toBe('48 min left');
  expect(dueWords(at(28, 15), NOW)).toBe('12 m late');
  expect(dueWords(null, NOW)).toBe('no due date');
  expect(dueWords(at(28, 18), NOW)).toMatch(/^0?6:00|18:00/);
  expect(dueWords(new Date(2027, 1, 3).toISOString(), NOW)).toContain('2027');
});

test.each([
  [10_000, 'now'],
  [25 * 60_000, '25 m'],
  [5 * 3_600_000, '5 h'],
  [3 * 86_400_000, '3 d'],
])('an age of %d ms is %s', (passed, words) => {
  expect(age(new Date(NOW - passed).toISOString(), NOW)).toBe(words);
});
