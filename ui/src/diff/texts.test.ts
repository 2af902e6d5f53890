import { expect, it } from 'vitest';
import { linesOf, pairsOf, type Side } from './texts';

const side = (key: string, value: Side['value'], label = key): Side => ({ key, label, value });
const names = (sides: Side[], earlier: Side[] = []) =>
  pairsOf(sides, earlier).map(({ left, right }) => `${left.label} > ${right.label}`);
const LONG = 'one line\nand another';

it('values of one kind are compared, and others are not', () => {
  expect(names([side('a', LONG), side('b', LONG), side('c', 5), side('d', 'short')])).toEqual(['a > b']);
  expect(names([side('a', { x: 1, y: 2 }), side('b', { x: 1, y: 3 }), side('c', { p: 1, q: 2 })])).toEqual(['a > b']);
  expect(names([side('a', [{ x: 1, y: 1 }]), side('b', [{ x: 2, y: 1 }]), side('c', [1, 2])])).toEqual(['a > b']);
  const file = (name: string) => ({ $blob: 'ab'.repeat(32), size: 1, media: '', name });
  expect(names([side('a', file('a.md')), side('b', file('b.txt')), side('c', file('c.png'))])).toEqual(['a > b']);
});

it('what came before stands on the left: by its name, by its round, and what is asked about on the right', () => {
  expect(names([side('value', LONG, 'To approve'), side('current', LONG)])).toEqual(['current > To approve']);
  expect(names([side('new', LONG), side('old', LONG)])).toEqual(['old > new']);
  expect(names([side('report', LONG)], [side('report', LONG, 'report, round 2')])).toEqual([
    'report, round 2 > report',
  ]);
});

it('fields in another order are equal, and rows of a table are lines', () => {
  const left = { b: 1, a: { y: 1, x: 2 } };
  const right = { a: { x: 2, y: 1 }, b: 1, c: 3 };
  expect(linesOf(right, left)).toBe('{\n  "b": 1,\n  "a": {\n    "y": 1,\n    "x": 2\n  },\n  "c": 3\n}');
  expect(linesOf([{ a: 1 }, { a: 2 }])).toBe('{"a":1}\n{"a":2}');
});
