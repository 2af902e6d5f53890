import { expect, test } from 'vitest';
import type { Json } from '../../api/json';
import type { WaitingView } from '../../api/types';
import { columnsOf, figureWords, sumsOf } from './figures';

const row = (figures: Record<string, Json>) => ({ figures }) as WaitingView;
const plain = (text: string) => text.replaceAll(/[\s,.’']/g, '');

test('figures have separators and six digits, and whole numbers all of theirs', () => {
  expect(figureWords(4_812_077)).not.toBe('4812077');
  expect(plain(figureWords(4_812_077))).toBe('4812077');
  expect(plain(figureWords(0.913_456_789))).toBe('0913457');
  expect(figureWords(true)).toBe('yes');
  expect(figureWords('Travel')).toBe('Travel');
});

test('the columns are the figures that most rows have, in their own order', () => {
  const rows = [
    row({ employee: 'a', amount: 1 }),
    row({ employee: 'b', amount: 2, note: 'x' }),
    row({ a: 1, b: 1, c: 1, d: 1, employee: 'c', amount: 3 }),
  ];
  expect(columnsOf(rows).slice(0, 2)).toEqual(['employee', 'amount']);
  expect(columnsOf(rows)).toHaveLength(5);
});

test('only what is a number in every row is summed', () => {
  expect(sumsOf([row({ amount: 1.5, who: 'a' }), row({ amount: 2, who: 'b' })])).toEqual([['amount', '3.5']]);
  expect(sumsOf([row({ amount: 1.5 }), row({ amount: 'much' })])).toEqual([]);
  expect(sumsOf([row({ amount: 1.5 }), row({})])).toEqual([]);
});
