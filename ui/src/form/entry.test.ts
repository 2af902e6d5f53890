import { expect, test } from 'vitest';
import type { Json } from '../api/json';
import { blank, changeAt, pathOf, read, valueOf, type Entry } from './entry';
import { faultsOf } from './faults';
import type { Schema } from './shape';

const beginning = (schema: Schema): Json | undefined => valueOf(blank(schema, schema));
const wrong = (entry: Entry, schema: Schema): string[] =>
  faultsOf(entry, schema, schema).map(({ path, reason }) => `${path.join('.')}: ${reason}`);

const NULL: Schema = { type: 'null' };
const INPUTS: Schema = {
  type: 'object',
  properties: {
    limit: { anyOf: [{ type: 'integer' }, NULL] },
    tags: { type: 'array', items: { type: 'string' } },
    name: { type: 'string', default: 'Nile' },
    stage: { enum: ['dev', 'prod'], 'x-names': ['DEV', 'PROD'], default: 'dev' },
    inner: { $ref: '#/$defs/Inner' },
  },
  required: ['limit', 'tags', 'inner'],
  $defs: {
    Inner: { type: 'object', properties: { count: { type: 'integer', default: 3 }, note: { type: 'string' } } },
  },
};

test('a form begins with every default, None where that is allowed, and empty lists', () => {
  const entry = blank(INPUTS, INPUTS);
  expect(valueOf(entry)).toEqual({ limit: null, tags: [], name: 'Nile', stage: 'dev', inner: { count: 3 } });
  expect(wrong(entry, INPUTS)).toEqual([]);
});

test('a value reads back as it was given', () => {
  const given = { limit: 4, tags: ['a', ''], name: '', stage: 'prod', inner: { count: 0, note: '' } };
  expect(valueOf(read(INPUTS, INPUTS, given, 'suggested'))).toEqual(given);
});

test('a default that was cleared is missing, and an empty text is one', () => {
  const schema: Schema = {
    type: 'object',
    properties: { amount: { type: 'integer', default: 1_000 }, note: { type: 'string', default: 'standard' } },
  };
  const cleared = changeAt(blank(schema, schema), ['amount'], () => ({ kind: 'leaf', value: undefined }));
  expect(wrong(cleared, schema)).toEqual(['amount: Needs a value']);
  const emptied = changeAt(blank(schema, schema), ['note'], () => ({ kind: 'leaf', value: '' }));
  expect(valueOf(emptied)).toEqual({ amount: 1_000, note: '' });
  const draft = read(schema, schema, { note: 'x' }, undefined);
  expect(wrong(draft, schema), 'a draft in which it was cleared').toEqual(['amount: Needs a value']);
});

test('what may be left out, with a default that only the workflow knows, is left out until it is given', () => {
  const schema: Schema = {
    type: 'object',
    properties: { when: { type: 'string', format: 'date' }, tags: { type: 'array', items: { type: 'string' } } },
  };
  const entry = blank(schema, schema);
  expect([valueOf(entry), wrong(entry, schema)]).toEqual([{}, []]);
  const given = changeAt(entry, ['tags', null], (each) => each);
  expect(valueOf(given)).toEqual({});
  const list = changeAt(entry, ['tags'], () => ({
    kind: 'optional',
    none: undefined,
    of: { kind: 'list', items: [] },
  }));
  expect(valueOf(list)).toEqual({ tags: [] });
});

test('each required field without a value is named, in the order of the form', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      file: { 'x-tidegate': 'file', type: 'object' },
      ok: { type: 'boolean' },
      one: { enum: ['a', 'b'] },
      many: { type: 'array', items: { type: 'integer' }, minItems: 2 },
    },
    required: ['file', 'ok', 'one', 'many'],
  };
  expect(wrong(blank(schema, schema), schema)).toEqual([
    'file: Choose a file',
    'ok: Choose yes or no',
    'one: Choose one of these',
    'many.0: Needs a value',
    'many.1: Needs a value',
  ]);
});

test('text that is not a number stays as it was typed, and is refused', () => {
  const schema: Schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
  const entry = read(schema, schema, { n: 'seven' }, undefined);
  expect([valueOf(entry), wrong(entry, schema)]).toEqual([{ n: 'seven' }, ['n: Must be a whole number']]);
});

test('what does not fit its schema is kept whole', () => {
  const given = { tags: 'not a list', inner: [1], limit: 1, extra: { deep: true } };
  expect(valueOf(read(INPUTS, INPUTS, given, undefined))).toEqual(given);
});

test('the member of a union is the one that the value fits', () => {
  const kinds: Schema = {
    anyOf: ['mail', 'call'].map((kind) => ({
      type: 'object',
      properties: { kind: { const: kind, default: kind }, to: { type: 'string' } },
      required: ['to'],
      additionalProperties: false,
    })),
  };
  const entry = read(kinds, kinds, { kind: 'call', to: '555' }, undefined);
  expect(entry.kind === 'union' && entry.member).toBe(1);
  expect(valueOf(entry)).toEqual({ kind: 'call', to: '555' });
  expect(beginning(kinds)).toEqual({ kind: 'mail' });
  expect(beginning({ anyOf: [{ type: 'integer' }, { type: 'string' }, NULL] })).toBe(null);
});

test('a type that contains itself begins with one level', () => {
  const tree: Schema = {
    $ref: '#/$defs/Tree',
    $defs: {
      Tree: {
        type: 'object',
        properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
        required: ['name', 'children'],
      },
    },
  };
  expect(beginning(tree)).toEqual({ children: [] });
  const endless: Schema = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
  expect(JSON.stringify(beginning(endless)).length).toBeLessThan(400);
});

test('a field with an odd name is like any other', () => {
  const schema: Schema = {
    type: 'object',
    properties: JSON.parse('{"__proto__": {"type": "integer"}, "a.b": {"type": "string"}}') as Schema,
    required: ['__proto__', 'a.b'],
  };
  const given = JSON.parse('{"__proto__": 3, "a.b": "x"}') as Json;
  expect(JSON.stringify(valueOf(read(schema, schema, given, undefined)))).toBe('{"__proto__":3,"a.b":"x"}');
});

test('an address leads through what only wraps a value', () => {
  const schema: Schema = {
    type: 'object',
    additionalProperties: { anyOf: [{ type: 'array', items: { type: 'integer' } }, NULL] },
  };
  const entry = read(schema, schema, { a: [1, 2] }, undefined);
  expect(pathOf(entry, [0, null, 1])).toEqual(['a', 1]);
  const changed = changeAt(entry, [0, null, 1], () => ({ kind: 'leaf', value: 5 }));
  expect(valueOf(changed)).toEqual({ a: [1, 5] });
});
