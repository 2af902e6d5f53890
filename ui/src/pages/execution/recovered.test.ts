import { expect, test } from 'vitest';
import type { RecoveryNode, RecoveryView } from '../../api/types';
import { lost, parts } from './recovered';

const node = (name: string, becomes: string, more: Partial<RecoveryNode> = {}): RecoveryNode => ({
  node: `n-${name}`,
  name,
  kind: 'task',
  becomes,
  why: '',
  changed: false,
  who: '',
  ...more,
});
const view = (nodes: RecoveryNode[], notes: string[] = []) => ({ nodes, notes }) as unknown as RecoveryView;

test('each node stands where the server puts it, with who answered and why it is not kept', () => {
  const nodes = [
    node('load', 'kept'),
    node('title', 'kept', { kind: 'input', who: 'ann' }),
    node('ok', 'asked', { kind: 'approve', who: 'bob', why: 'it was aborted' }),
    node('more', 'asked', { kind: 'input' }),
    node('train', 'runs', { why: 'it had not succeeded' }),
    node('new', 'runs', { node: '' }),
    node('report', 'compared'),
    node('old', 'unused'),
  ];
  expect(parts(view(nodes)).map(({ what, names }) => `${what}: ${names}`)).toEqual([
    'Results are kept: load',
    'Answers are kept: title (by ann)',
    'Kept if what they take comes out as it was: report',
    'Run again, with the same idempotency key if their inputs are the same: train (it had not succeeded)',
    'Run for the first time: new',
    'Asked for again: ok (by bob, it was aborted)',
    'Asked: more',
    'No longer used: old',
  ]);
});

test('of many nodes the first ten are named, and the rest counted', () => {
  const nodes = Array.from({ length: 1_012 }, (_, at) => node(`t${at}`, 'kept'));
  expect(parts(view(nodes))[0]?.names).toMatch(/t9 and 1.002 more$/);
});

test('what speaks against it is said in sentences', () => {
  const changed = node('ok', 'kept', { changed: true });
  expect(lost(view([changed], ['it would fail at once: no']))).toEqual([
    'Kept although the code or the text has changed: ok.',
    'It would fail at once: no.',
  ]);
});
