import { expect, test } from 'vitest';
import { cell, isMoney, number } from './figures';
import { line } from './csv';
import { filterValue, ranges } from './model';

test('amounts keep their cents, whatever their size', () => {
  expect(number(4812077.4, true)).toBe('4,812,077.40');
  expect(number(0.1 + 0.2)).toBe('0.3');
  expect(number(1234567)).toBe('1,234,567');
  expect(isMoney('number', [1.5, null, 2.25])).toBe(true);
  expect(isMoney('number', [1.505])).toBe(false);
  expect(isMoney('integer', [1])).toBe(false);
});

test('what is missing is told from an empty text', () => {
  expect(cell(null, 'text', false)).toBe('missing');
  expect(cell('', 'text', false)).toBe('');
  expect(cell('NaN', 'number', false)).toBe('NaN');
});

test('dates are in the language of the reader, instants in their zone, and what has no zone is not moved', () => {
  const day = new Date(Date.UTC(2026, 0, 31)).toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
  expect(cell('2026-01-31', 'date', false)).toBe(day);
  expect(cell('2026-01-31T23:59:01', 'instant', false)).toMatch(/31.*59.01/);
  expect(cell('2026-01-31T00:00:00', 'instant', false)).toBe(day);
  const noon = cell('2026-01-31T14:30:00+02:30', 'instant', false);
  expect(noon).toBe(cell('2026-01-31T12:00:00Z', 'instant', false));
  expect(cell('about 2026', 'date', false)).toBe('about 2026');
  expect(cell('12026-01-31T00:00:00', 'instant', false)).toBe('12026-01-31 00:00:00');
});

test('neighbouring columns travel as ranges', () => {
  expect(ranges([0, 1, 2, 57])).toBe('0-2,57');
  expect(ranges([3])).toBe('3');
  expect(ranges([])).toBe('');
});

test('a filter is of the type of its column, or is not one', () => {
  expect(filterValue('number', 'ge', '50 000')).toBe(50000);
  expect(filterValue('number', 'ge', 'x')).toBeUndefined();
  expect(filterValue('boolean', 'eq', 'yes')).toBe(true);
  expect(filterValue('date', 'le', 'soon')).toBeUndefined();
  expect(filterValue('text', 'missing', '')).toBeNull();
});

test('what separates is quoted', () => {
  expect(line(['a', 'b,c', 'd"e', null, 1.5, ' x'])).toBe('a,"b,c","d""e",,1.5," x"\r\n');
});
