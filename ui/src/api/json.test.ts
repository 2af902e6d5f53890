import { expect, test } from 'vitest';
import { isDelicate, parseJson } from './json';

test.each([
  '9007199254740993',
  '[-9007199254740993]',
  '{"a": 123456789012345678901234567890}',
  '[1,9007199254740993]',
  '-0.0',
  '[-0.0]',
  '{"a":[1, -0.0 ]}',
  '{"a":-0}',
])('%s has a number that must be looked at', (text) => {
  expect(isDelicate(text)).toBe(true);
});

test('times, digests and fractions need no look', () => {
  const text =
    '{"at":"2026-01-09T00:00:00Z","digest":"1:17ac11735d24","n":[0,0.5,1e300,-1,-0.5e3,0.12345678901234567],"t":"a-0,b"}';
  expect(isDelicate(text)).toBe(false);
  expect(parseJson(text)).toEqual(JSON.parse(text));
});
