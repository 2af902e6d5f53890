import { describe, expect, it } from 'vitest';
import { announced, dueWords } from './due';

const MIN = 60_000;
const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 30);

describe('when it is due', () => {
  it.each([
    [at(28, 16), /^today \d/],
    [at(29, 0), /^tomorrow \d/],
    [at(27, 23), /^yesterday \d/],
    [at(30, 12), /^Mon \d/],
  ])('%s', (due, words) => {
    expect(dueWords(due, at(28, 9))).toMatch(words);
  });

  it('a weekday alone never means one more than six days away', () => {
    expect(dueWords(new Date(2026, 11, 5, 9), at(28, 9))).toMatch(/2026/);
    expect(dueWords(at(20, 9), at(28, 9))).toMatch(/2026/);
  });

  it('days are those of the calendar, also where one has 23 hours', () => {
    expect(dueWords(new Date(2026, 2, 29, 0, 5), new Date(2026, 2, 28, 23, 55))).toMatch(/^tomorrow/);
  });
});

describe('what is read out', () => {
  it('is said when an hour, 15, 5 and 1 minutes are left, and at no other time', () => {
    const told: string[] = [];
    for (let left = 61 * MIN; left > 0; left -= 1_000) {
      const said = announced(left + 1_000, left);
      if (said) told.push(`${left / MIN}: ${said}`);
    }
    expect(told).toEqual([
      '60: 1 hour left to decide.',
      '15: 15 minutes left to decide.',
      '5: 5 minutes left to decide.',
      '1: 1 minute left to decide.',
    ]);
  });

  it('after a sleep of the machine only the last is said', () => {
    expect(announced(70 * MIN, 4 * MIN)).toBe('5 minutes left to decide.');
    expect(announced(70 * MIN, -1)).toBe('');
  });
});
