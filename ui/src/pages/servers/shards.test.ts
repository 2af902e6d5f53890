import { expect, test } from 'vitest';
import { ranges, unowned } from './shards';

test.each([
  [[], ''],
  [[5], '5'],
  [[0, 1, 2, 7, 9, 10], '0 to 2, 7, 9 to 10'],
])('the shards %j are written as %j', (numbers, words) => {
  expect(ranges(numbers)).toBe(words);
});

test('what no server owns is what is left of all', () => {
  const all = Array.from({ length: 64 }, (_, shard) => shard);
  expect(unowned([{ shards: all.slice(0, 30) }, { shards: all.slice(32) }])).toEqual([30, 31]);
  expect(unowned([])).toHaveLength(64);
});
