import { expect, it } from 'vitest';
import { following, placeOf } from './order';

const IDS = ['a', 'b', 'c'];

it('the next question is the one below, and after the last the first', () => {
  expect(following('a', IDS)).toEqual({ next: 'b', left: 2 });
  expect(following('c', IDS)).toEqual({ next: 'a', left: 2 });
});

it('a question that the list does not show is followed by the first of it', () => {
  expect(following('x', IDS)).toEqual({ next: 'a', left: 3 });
  expect(following('x', [])).toBeUndefined();
});

it('a question never follows itself', () => {
  expect(following('a', ['a'])).toBeUndefined();
});

it('the place of a question is counted from 1, and ends have one neighbour', () => {
  expect(placeOf('a', IDS)).toEqual({ at: 1, of: 3, previous: undefined, next: 'b' });
  expect(placeOf('c', IDS)).toEqual({ at: 3, of: 3, previous: 'b', next: undefined });
  expect(placeOf('x', IDS)).toBeUndefined();
});
