import { expect, it } from 'vitest';
import { extent, needsRoom } from './evidence';

it('scalars and short records stand in a narrow dialog', () => {
  for (const value of [1, 'short', null, true, undefined, { a: 1, b: 'x' }, [1, 2, 3], [{ a: 1, b: 2 }]])
    expect(needsRoom(value)).toBe(false);
});

it('tables, long texts and files have the whole width, wherever they lie', () => {
  expect(needsRoom('x'.repeat(5_000))).toBe(true);
  expect(needsRoom(Array.from({ length: 20 }, () => ({ a: 1 })))).toBe(true);
  expect(needsRoom([{ a: 1, b: 2, c: 3, d: 4, e: 5 }])).toBe(true);
  expect(needsRoom({ deep: [{ file: { $blob: 'ab'.repeat(32), size: 1, media: 'image/png', name: 'a.png' } }] })).toBe(
    true,
  );
});

it('the size of a value is told as people count', () => {
  expect(extent([{ a: 1, b: 2 }])).toBe('1 × 2');
  expect(extent([1])).toBe('1 item');
  const file = { $blob: 'a'.repeat(64), size: 1, media: 'image/png', name: 'a.png' };
  expect(extent([file, file])).toBe('2 files');
  expect(extent(Array.from({ length: 5_000 }, () => 1))).toMatch(/^5.000 items$/);
  expect(extent({ a: 1 })).toBe('1 field');
  expect(extent('x')).toBe('');
});
