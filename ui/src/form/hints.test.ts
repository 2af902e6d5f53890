import { expect, test } from 'vitest';
import { blank } from './entry';
import { hintOf } from './hints';
import type { Schema } from './shape';

test.each<[Schema, string]>([
  [{ type: 'number', minimum: 0, maximum: 1 }, '0 to 1'],
  [{ type: 'integer', exclusiveMinimum: 0 }, 'more than 0'],
  [{ type: 'integer' }, 'whole number'],
  [{ enum: ['a', 'b', 'c'] }, 'one of three'],
  [{ type: 'string', maxLength: 3 }, 'at most 3 characters'],
  [{ type: 'string' }, ''],
  [{ type: 'array', items: {}, minItems: 2 }, 'a list; 2 entries; at least 2 entries'],
  [{ type: 'array', items: {} }, 'a list'],
  [{ type: 'string', format: 'date' }, 'date'],
])('beside the name of %j stands what it takes', (schema, hint) => {
  expect(hintOf(schema, schema, blank(schema, schema), false)).toBe(hint);
});

test('what may stay empty says so', () => {
  const schema: Schema = { type: 'string', format: 'date' };
  expect(hintOf(schema, schema, blank(schema, schema), true)).toBe('optional date');
  expect(hintOf({ type: 'string' }, {}, blank({ type: 'string' }, {}), true)).toBe('optional');
});
