import { expect, test } from 'vitest';
import { fits, mayAnswer, mayOperate, mayReadAll } from './rights';

test.each([
  ['*', '', true],
  ['*', 'shop', true],
  ['shop', 'shop', true],
  ['shop', 'shops', false],
  ['shop*', 'shop', true],
  ['shop*', 'workshop', false],
  ['*shop', 'workshop', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*b', 'a-b', false],
  ['', '', true],
  ['', 'shop', false],
])('the pattern %j fits %j: %s', (pattern, name, is) => {
  expect(fits(pattern, name)).toBe(is);
});

const grant = (role: string, project = '*', domain = '*') => ({ role, project, domain });

test('to launch and to answer are rights of different roles, and a viewer has neither', () => {
  expect([mayOperate([grant('operator')]), mayAnswer([grant('operator')])]).toEqual([true, false]);
  expect([mayOperate([grant('approver')]), mayAnswer([grant('approver')])]).toEqual([false, true]);
  expect([mayOperate([grant('viewer')]), mayAnswer([grant('viewer')])]).toEqual([false, false]);
  expect([mayOperate([grant('admin')]), mayAnswer([grant('admin')])]).toEqual([true, true]);
});

test('a right in one project is none in another', () => {
  const grants = [grant('viewer'), grant('operator', 'shop', 'prod*')];
  expect(mayOperate(grants)).toBe(true);
  expect(mayOperate(grants, { project: 'shop', domain: 'production' })).toBe(true);
  expect(mayOperate(grants, { project: 'shop', domain: 'test' })).toBe(false);
  expect(mayOperate(grants, { project: 'bank', domain: 'prod' })).toBe(false);
});

test('what belongs to no project is seen by those with a role everywhere', () => {
  expect(mayReadAll([grant('viewer')])).toBe(true);
  expect(mayReadAll([grant('admin', 'shop'), grant('admin', '*', 'test')])).toBe(false);
});
