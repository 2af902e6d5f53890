import { expect, test } from 'vitest';
import { instantOf, isNaive, parseDuration, unitOf, writeDuration } from './instants';

test('a duration reads back as it was written, in every unit', () => {
  expect(parseDuration(writeDuration(3, 'weeks'))).toBe(3 * 604_800);
  expect(parseDuration(writeDuration(-2, 'days'))).toBe(-2 * 86_400);
  expect(parseDuration(writeDuration(1.5, 'hours'))).toBe(5_400);
  expect(parseDuration(writeDuration(0.25, 'seconds'))).toBe(0.25);
});

test('a text that means no duration is refused', () => {
  for (const text of ['', 'P', 'PT', '5', 'PT5', '1 day']) expect(parseDuration(text), text).toBeUndefined();
});

test('seconds are shown in the largest unit in which they are whole', () => {
  expect([86_400, 7_200, 90, 61 * 60, undefined].map(unitOf)).toEqual([
    'days',
    'hours',
    'seconds',
    'minutes',
    'minutes',
  ]);
});

test('a time without an offset or a zone is naive', () => {
  expect(isNaive('2026-03-29T02:30:00')).toBe(true);
  expect(instantOf('2026-03-29T02:30:00')).toBeUndefined();
  expect(isNaive('2026-03-29T02:30:00+01:00')).toBe(false);
  expect(instantOf('2026-03-29T02:30:00+01:00')?.toISOString()).toBe('2026-03-29T01:30:00.000Z');
});
