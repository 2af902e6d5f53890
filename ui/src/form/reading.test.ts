import { expect, test } from 'vitest';
import { readAs, readDuration, readJson, readNumber, textOf } from './reading';

test.each([
  ['whole', '42', 42],
  ['whole', ' -7 ', -7],
  ['whole', '+5', 5],
  ['whole', '007', 7],
  ['whole', '−3', -3],
  ['number', '.5', 0.5],
  ['number', '5.', 5],
  ['number', '-1.5e3', -1_500],
  ['decimal', '12.50', '12.50'],
  ['decimal', '-0.00', '-0.00'],
] as const)('as a %s number, "%s" is read', (kind, text, value) => {
  expect(readNumber(text, kind)).toEqual({ value, text });
});

test.each([
  ['whole', '1.5', 'Must be a whole number'],
  ['whole', '1e3', 'Must be a whole number'],
  ['whole', '0x10', 'Must be a whole number'],
  ['whole', '1_000', 'Must be a whole number'],
  ['number', '0b1', 'Must be a number'],
  ['number', 'nan', 'Must be a number'],
  ['number', 'Infinity', 'Must be a number'],
  ['number', '1,5', 'Must be a number with a decimal point: 1.5'],
  ['number', '1e999', 'Is too large for a number'],
  ['number', '٣', 'Must be a number'],
  ['decimal', '1,5', 'Must be a number with a decimal point: 1.5'],
  ['decimal', 'much', 'Must be a number, such as 12.50'],
] as const)('as a %s number, "%s" is refused, and stays as it was typed', (kind, text, wrong) => {
  expect(readNumber(text, kind)).toEqual({ value: undefined, text, wrong });
});

test('a number is shown as it was typed', () => {
  for (const text of ['1.50', '1e3', '+4', '1.']) expect(textOf(readNumber(text, 'number'))).toBe(text);
  expect(textOf({ value: 0.1 })).toBe('0.1');
  expect(textOf({ value: undefined })).toBe('');
});

test('an empty text is not a value of any kind', () => {
  for (const read of [readDuration, readJson, (text: string) => readNumber(text, 'whole')])
    expect(read('')).toEqual({ value: undefined });
});

test('a value of another kind is shown and refused, never replaced', () => {
  expect(readAs({ kind: 'whole' }, 'seven')).toEqual({
    value: undefined,
    text: 'seven',
    wrong: 'Must be a whole number',
  });
  expect(readAs({ kind: 'number' }, { a: 1 }).text).toBe('{"a":1}');
  expect(readAs({ kind: 'text', format: '' }, { a: 1 })).toEqual({ value: '{"a":1}' });
});

test('JSON that is not complete says so', () => {
  expect(readJson('[1, 2]')).toEqual({ value: [1, 2], text: '[1, 2]' });
  expect(readJson('[1,').wrong).toMatch(/^This is not JSON yet/);
});
