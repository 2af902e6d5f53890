import { expect, test } from 'vitest';
import { initials } from './initials';

test.each([
  ['Ann Keller', 'AK'],
  ['ann.keller', 'AK'],
  ['ci', 'CI'],
  ['x', 'X'],
  ['María José Ruiz', 'MR'],
  ['𝒜da Lovelace', '𝒜L'],
  ['---', ''],
  ['', ''],
])('the initials of %s are %s', (name, letters) => {
  expect(initials(name)).toBe(letters);
});
