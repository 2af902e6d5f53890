import { expect, test } from 'vitest';
import type { ExecutionLine } from '../../api/types';
import { address, asked, failureOf, isAlike, lookOf, looksOf } from './states';

const line = (change: object) =>
  ({ phase: 'FAILED', waiting: [], held: '', end: null, ...change }) as unknown as ExecutionLine;
const end = (kind: string, message = '', name = 'load') => ({ kind, message, who: '', node: 'n0', name });

test('the phase FAILED in an address is each way to fail', () => {
  expect(looksOf(asked({ phase: 'FAILED,RUNNING' }))).toEqual(['RUNNING', 'FAILED', 'REJECTED', 'TIMED_OUT']);
  expect(looksOf(asked({ phase: 'WAITING', end: 'rejected' }))).toEqual(['WAITING', 'REJECTED']);
});

test('an address is what it was read from', () => {
  const looks = ['RUNNING', 'TIMED_OUT', 'ABORTED'];
  expect(looksOf(asked(address(looks)))).toEqual(looks);
});

test('rejected, timed out, terminated and failed look different', () => {
  expect(lookOf(line({ end: end('rejected') }))).toBe('REJECTED');
  expect(lookOf(line({ end: end('timed_out') }))).toBe('TIMED_OUT');
  expect(lookOf(line({ phase: 'ABORTED', end: end('aborted') }))).toBe('ABORTED');
  expect(lookOf(line({ end: end('failed') }))).toBe('FAILED');
  expect(lookOf(line({ phase: 'RUNNING', held: 'no worker' }))).toBe('HELD');
});

test.each([
  ['ConnectionError: refused\nIs it up?', 'ConnectionError', 'refused'],
  ['urllib.error.HTTPError: 404', '', 'urllib.error.HTTPError: 404'],
  ['KeyError', '', 'KeyError'],
  ['it failed: badly', '', 'it failed: badly'],
  ['', '', ''],
])('the reason %j names its exception', (message, error, text) => {
  if (message === 'KeyError') expect(failureOf(message).error).toBe('KeyError');
  else expect(failureOf(message)).toEqual({ error, text });
});

test('alike are those that failed at one task with one exception, or ended by the same kind of decision', () => {
  const one = line({ end: end('failed', 'ConnectionError: a') });
  expect(isAlike(one, line({ end: end('failed', 'ConnectionError: b') }))).toBe(true);
  expect(isAlike(one, line({ end: end('failed', 'ValueError: a') }))).toBe(false);
  expect(isAlike(one, line({ end: end('failed', 'ConnectionError: a', 'store') }))).toBe(false);
  expect(isAlike(line({ end: end('rejected', 'a', 'x') }), line({ end: end('rejected', 'b', 'y') }))).toBe(true);
  expect(isAlike(one, line({}))).toBe(false);
});
