import { expect, test } from 'vitest';
import { isSingle } from './enter';
import type { Schema } from './shape';

const record = (...names: string[]): Schema => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});

test.each<[string, Schema, boolean]>([
  ['a text', { type: 'string' }, true],
  ['a date that may be left out', { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] }, true],
  ['a choice', { enum: ['a', 'b'] }, true],
  ['a record of one field', record('a'), true],
  ['a record of two fields', record('a', 'b'), false],
  ['a record with a list', { type: 'object', properties: { a: { type: 'array', items: {} } } }, false],
  ['a list', { type: 'array', items: { type: 'string' } }, false],
  ['a file', { 'x-tidegate': 'file', type: 'object' }, false],
  ['anything', {}, false],
])('whether %s is one field, which Enter sends', (_, schema, is) => {
  expect(isSingle(schema)).toBe(is);
});
