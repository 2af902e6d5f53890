import { expect, test } from 'vitest';
import { written } from './digits';
import { bytes, figureWords, numberWords } from './numbers';

/** Without the separators, which depend on the language. */
const digits = (text: string) => text.replaceAll(/[^0-9.-]/g, '');

test('an amount is never rounded before the decimal point', () => {
  expect(digits(numberWords(4_812_077))).toBe('4812077');
  expect(digits(numberWords(4_812_077.4))).toBe('4812077.4');
  expect(digits(numberWords(-1_234_567.891))).toBe('-1234567.89');
  expect(digits(numberWords(123_456_789_012))).toBe('123456789012');
});

test('a small number has six digits', () => {
  expect(digits(numberWords(0.000_123_456_78))).toBe('0.000123457');
  expect(digits(numberWords(962.4))).toBe('962.4');
  expect(digits(numberWords(2 / 3))).toBe('0.666667');
});

test('a year has no separator', () => {
  expect(numberWords(1898)).toBe('1898');
});

test('a text is cut, and a number is not', () => {
  expect(figureWords('a'.repeat(100), 20).length).toBeLessThanOrEqual(21);
  expect(digits(figureWords(12_345_678, 3))).toBe('12345678');
});

test('a number of which digits are left out says so, and has all of them as it is written', () => {
  expect(written(0.1 + 0.2)).toMatchObject({ raw: '0.30000000000000004', isRounded: true });
  expect(written(1_234_567.5)).toMatchObject({ raw: '1234567.5', isRounded: false });
  expect(written(2026)).toEqual({ words: '2026', raw: '2026', isRounded: false });
  expect(written(1e300).words).toBe('1e+300');
  expect(written(1e-9).words).toBe('1e-9');
  expect(written(-0).raw).toBe('-0');
});

test('bytes are counted in thousands', () => {
  expect([0, 999, 1_000, 1_234_567].map(bytes).map(digits)).toEqual(['0', '999', '1.0', '1.2']);
});
