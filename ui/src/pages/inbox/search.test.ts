import { expect, test } from 'vitest';
import { filterOf, isFiltered, nextSort, readSearch } from './search';

test('an address without filters asks for what one may answer', () => {
  expect(filterOf(readSearch({}))).toEqual({ yours: true });
  expect(filterOf(readSearch({ all: true }))).toEqual({});
});

test('numbers and blanks in an address are texts like others', () => {
  expect(readSearch({ q: 48, workflow: 7, kind: '', nonsense: 1 })).toEqual({ q: '48', workflow: '7' });
  expect(filterOf({ q: '  ' })).toEqual({ yours: true });
});

test('a due group is asked for with where the day ends', () => {
  expect(filterOf({ due: 'today' })).toEqual({
    yours: true,
    due: 'today',
    zone: -new Date().getTimezoneOffset(),
  });
});

test('the order by due time is the server’s own', () => {
  expect(filterOf({ sort: 'due' })).toEqual({ yours: true });
  expect(filterOf({ sort: '-figure:amount' })).toEqual({ yours: true, sort: '-figure:amount' });
});

test('sections and orders do not filter', () => {
  expect(isFiltered({ all: true, sort: 'title' })).toBe(false);
  expect(isFiltered({ q: 'lisbon' })).toBe(true);
});

test('the head of a column sorts upwards, downwards, and not at all', () => {
  expect(nextSort('', 'title')).toBe('title');
  expect(nextSort('title', 'title')).toBe('-title');
  expect(nextSort('-title', 'title')).toBe('');
});
