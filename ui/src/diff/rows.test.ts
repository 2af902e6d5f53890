import { expect, it } from 'vitest';
import { rowsOf } from './folds';
import { difference, type Difference } from './rows';

const text = (lines: { runs: { text: string }[] }[]) => lines.map((each) => each.runs.map((run) => run.text).join(''));
const many = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}`);

function sides(found: Difference): [string[], string[]] {
  return [found.parts.flatMap((each) => text(each.left)), found.parts.flatMap((each) => text(each.right))];
}

it('both texts can be read out of their difference, whatever they are', () => {
  const texts = [
    '',
    'a',
    'a\nb\nc',
    'a\nx\nc',
    'c\nb\na\n',
    '\n\n',
    many(0, 500).join('\n'),
    many(250, 800).join('\r\n'),
  ];
  for (const left of texts)
    for (const right of texts) {
      const [one, other] = sides(difference(left, right));
      const lines = (all: string) => all.split(/\r?\n/).slice(0, all === '' || all.endsWith('\n') ? -1 : undefined);
      expect(one).toEqual(lines(left));
      expect(other).toEqual(lines(right));
    }
});

it('within a changed line the changed words are marked, and in one that was replaced all of it', () => {
  const { parts, changes, removed, added } = difference('x\nrose to 4.8 % in May\ny', 'x\nrose to 4.6 % in May\ny');
  expect([changes, removed, added]).toEqual([1, 1, 1]);
  const change = parts[1];
  expect(change?.left[0]?.runs.filter((run) => run.isChanged).map((run) => run.text)).toEqual(['4.8']);
  expect(change?.right[0]?.runs.filter((run) => run.isChanged).map((run) => run.text)).toEqual(['4.6']);
  expect(difference('Details are below.', 'Nobody was asked.').parts[0]?.left[0]?.runs).toHaveLength(1);
});

it('what is equal is folded, but for the lines around a change', () => {
  const left = many(0, 100);
  const right = left.map((each, at) => (at === 50 ? 'another' : each));
  const { parts } = difference(left.join('\n'), right.join('\n'));
  const rows = rowsOf(parts, new Set(), false);
  expect(rows.filter(({ kind }) => kind === 'equal')).toHaveLength(6);
  expect(rows.flatMap((row) => (row.kind === 'fold' ? row.many : []))).toEqual([47, 46]);
  expect(rowsOf(parts, new Set([0]), false).filter(({ kind }) => kind === 'fold')).toHaveLength(1);
  expect(rowsOf(parts, new Set(), true)).toHaveLength(100);
});

it('texts with nothing in common take bounded time, and it is said that they were not matched', () => {
  const make = (word: string) => Array.from({ length: 60_000 }, (_, at) => `${word} ${at * 7}`).join('\n');
  const began = performance.now();
  const found = difference(`same\n${make('a')}\nend`, `same\n${make('b')}\nend`);
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(found.isCoarse).toBe(true);
  expect(found.parts.map(({ kind }) => kind)).toEqual(['equal', 'change', 'equal']);
}, 30_000);
