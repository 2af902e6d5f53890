import { expect, test } from 'vitest';
import { ApiError } from '../../api/client';
import type { AnswerResult, WaitingView } from '../../api/types';
import { csvOf, decideMany, isWaiting, reason, replaced, undecidedFirst, type Keys } from './bulk';

const view = (n: number) =>
  ({
    execution: `e${n}`,
    node: 'n0',
    handle: 'h',
    name: 'claim',
    title: `Claim ${n}`,
    workflow: 'w',
    digest: 'd',
  }) as WaitingView;
const views = (many: number) => Array.from({ length: many }, (_, n) => view(n));
const result = (status: number, code = ''): AnswerResult => ({
  execution: '',
  signal: '',
  status,
  reply: null,
  problem: status === 200 ? null : { code, detail: `because of ${code}` },
});
const YES = { value: true, comment: '' };

test('when the server goes in the middle, what it took is known, and the rest is not called refused', async () => {
  let parts = 0;
  const outcomes = await decideMany(views(1_200), YES, new Map(), 500, undefined, async (answers) => {
    parts += 1;
    if (parts === 2) throw new ApiError(0, 'The server cannot be reached.');
    return answers.map(() => result(200));
  });
  const of = (state: string) => outcomes.filter((each) => each.state === state);

  expect([of('taken').length, of('unknown').length, of('unsent').length]).toEqual([500, 500, 200]);
  expect(parts).toBe(2);
});

test('a repeat sends the same keys, so that nothing is decided twice', async () => {
  const keys: Keys = new Map();
  const sent: string[][] = [];
  const send = async (answers: unknown[]) => {
    sent.push((answers as { key: string }[]).map((each) => each.key));
    throw new ApiError(0, 'The server cannot be reached.');
  };
  await decideMany(views(3), YES, keys, 500, undefined, send);
  await decideMany(views(3), YES, keys, 500, undefined, send);

  expect(new Set(sent[0]).size).toBe(3);
  expect(sent[1]).toEqual(sent[0]);
});

test('each has its own result, undecided ones first, and what still waits is told from what is over', async () => {
  const results = [result(200), result(409, 'already_answered'), result(409, 'changed'), result(403, 'forbidden')];
  const outcomes = await decideMany(views(4), YES, new Map(), 500, undefined, async () => results);

  expect(undecidedFirst(outcomes).map((each) => each.state)).toEqual(['refused', 'refused', 'refused', 'taken']);
  expect(outcomes.map(isWaiting)).toEqual([false, false, true, true]);
});

test('a repeat takes the place of what it repeats', async () => {
  const before = await decideMany(views(2), YES, new Map(), 500, undefined, async () => [result(200), result(500)]);
  const again = await decideMany([view(1)], YES, new Map(), 500, undefined, async () => [result(200)]);

  expect(replaced(before, again).map((each) => each.state)).toEqual(['taken', 'taken']);
});

test('a result as CSV keeps commas and quotes, and runs nothing in a spreadsheet', () => {
  const bad = { ...view(1), title: '=cmd|"x", y' };
  const text = csvOf([{ view: bad, state: 'refused', code: '', why: 'a\nb', facts: {} }]);

  expect(text.split('\r\n')[1]).toBe(`"'=cmd|""x"", y",w,e1,h,refused,"a\nb"`);
});

test.each([
  ['already_answered', { who: 'ben' }, 'Already decided by ben'],
  ['already_answered', { who: 'ann' }, 'Already decided by you'],
  ['changed', { changed: ['receipts', 'amount'] }, 'Not decided: receipts, amount changed after you looked'],
  ['changed', { changed: ['form'] }, 'because of changed'],
  ['execution_ended', {}, 'The execution ended: no decision is needed'],
  ['forbidden', {}, 'because of forbidden'],
])('why one was not decided is said in a few words: %s %j', async (code, facts, words) => {
  const refused = { ...result(409, code), problem: { code, detail: `because of ${code}`, ...facts } };
  const [outcome] = await decideMany(views(1), YES, new Map(), 500, undefined, async () => [refused]);

  expect(outcome && reason(outcome, 'ann')).toBe(words);
});

test('the minute of what came before is in the time of the reader', async () => {
  const at = new Date(2026, 10, 29, 15, 9);
  const refused = {
    ...result(409),
    problem: { code: 'already_answered', detail: '', who: 'ben', at: at.toISOString() },
  };
  const [outcome] = await decideMany(views(1), YES, new Map(), 500, undefined, async () => [refused]);

  expect(outcome && reason(outcome, 'ann')).toMatch(/^Already decided by ben at (0?3|15):09/);
});
