import { expect, test } from 'vitest';
import type { Json } from '../api/json';
import { blank, read, valueOf, type Address, type Entry } from './entry';
import { faultsOf } from './faults';
import { beginning, pendingOf, reduce, type Action, type FormState } from './reducer';
import type { Schema } from './shape';

const FILE: Schema = { 'x-tidegate': 'file', type: 'object' };
const CLAIM: Schema = {
  type: 'object',
  properties: { title: { type: 'string' }, receipt: FILE, more: FILE, notes: { type: 'string' } },
  required: ['title', 'receipt', 'more', 'notes'],
  additionalProperties: false,
};
const LIST: Schema = { type: 'array', items: CLAIM };
const MAP: Schema = { type: 'object', additionalProperties: FILE };

const start = (schema: Schema): FormState => beginning(blank(schema, schema));
const after = (state: FormState, ...actions: Action[]): FormState => actions.reduce(reduce, state);
const typing = (at: Address, text: string): Action => ({ type: 'typed', at, reading: { value: text } });
const uploading = (at: Address, upload: string): Action => ({
  type: 'uploading',
  at,
  upload,
  name: `${upload}.pdf`,
  size: 10,
  begun: 0,
});
const blob = (digest: string): Json => ({ $blob: digest });
const uploaded = (upload: string): Action => ({ type: 'uploaded', upload, value: blob(upload) });
const fresh = (schema: Schema): Entry => blank(schema, schema);

test('what is typed while a file uploads is kept', () => {
  const state = after(
    start(CLAIM),
    uploading(['receipt'], 'a'),
    typing(['title'], 'Hotel'),
    typing(['notes'], 'two nights'),
    uploaded('a'),
  );
  expect(valueOf(state.entry)).toEqual({ title: 'Hotel', receipt: blob('a'), notes: 'two nights' });
});

test('two files that are chosen in quick succession both arrive, in any order', () => {
  const begun = after(start(CLAIM), uploading(['receipt'], 'a'), uploading(['more'], 'b'));
  expect(pendingOf(begun)).toBe(2);
  const state = after(begun, uploaded('b'), uploaded('a'));
  expect(valueOf(state.entry)).toEqual({ receipt: blob('a'), more: blob('b') });
  expect(pendingOf(state)).toBe(0);
});

test('a file arrives in its item, wherever that has moved meanwhile', () => {
  const begun = after(
    start(LIST),
    { type: 'added', at: [], entry: fresh(CLAIM) },
    { type: 'added', at: [], entry: fresh(CLAIM) },
    typing([1, 'title'], 'second'),
    uploading([1, 'receipt'], 'a'),
    { type: 'removed', at: [], index: 0 },
    uploaded('a'),
  );
  expect(valueOf(begun.entry)).toEqual([{ title: 'second', receipt: blob('a') }]);
});

test('a file whose item is gone arrives nowhere, and nothing waits for it', () => {
  const state = after(
    start(LIST),
    { type: 'added', at: [], entry: fresh(CLAIM) },
    uploading([0, 'receipt'], 'a'),
    { type: 'removed', at: [], index: 0 },
    { type: 'added', at: [], entry: fresh(CLAIM) },
  );
  expect(pendingOf(state)).toBe(0);
  expect(valueOf(reduce(state, uploaded('a')).entry)).toEqual([{}]);
});

test('a file that was chosen instead of another one is the one that arrives', () => {
  const state = after(
    start(CLAIM),
    uploading(['receipt'], 'a'),
    uploading(['receipt'], 'b'),
    uploaded('b'),
    uploaded('a'),
  );
  expect(valueOf(state.entry)).toEqual({ receipt: blob('b') });
});

test('a name that is typed while a file uploads is the name of its value', () => {
  const state = after(
    start(MAP),
    { type: 'added', at: [], entry: fresh(FILE) },
    uploading([0], 'a'),
    { type: 'renamed', at: [], index: 0, name: 'invoice' },
    uploaded('a'),
  );
  expect(valueOf(state.entry)).toEqual({ invoice: blob('a') });
});

test('an upload that fails or is cancelled leaves the other fields alone', () => {
  const begun = after(start(CLAIM), uploading(['receipt'], 'a'), typing(['title'], 'Hotel'));
  const broken = reduce(begun, { type: 'broken', upload: 'a', error: 'no room' });
  expect(broken.uploads.a?.error).toBe('no room');
  expect(pendingOf(broken)).toBe(0);
  const cancelled = reduce(begun, { type: 'cancelled', upload: 'a' });
  expect([valueOf(cancelled.entry), cancelled.uploads]).toEqual([{ title: 'Hotel' }, {}]);
});

test('a change takes away what was said against its place, and nothing else', () => {
  const faults = [
    { path: ['title'], reason: 'too short' },
    { path: ['notes'], reason: 'too long' },
  ];
  const state = after(start(CLAIM), { type: 'faults', faults, refused: true }, typing(['title'], 'Hotel'));
  expect(state.faults).toEqual([faults[1]]);
});

test('a form that is filled in otherwise is refused no longer', () => {
  const faults = [{ path: ['title'], reason: 'too short' }];
  const refused = after(start(CLAIM), { type: 'faults', faults, refused: true });
  const state = reduce(refused, { type: 'replaced', entry: fresh(CLAIM), changed: true });
  expect([refused.refused, state.refused, state.faults]).toEqual([true, false, []]);
});

test('a change touches no entry beside it', () => {
  const begun = start(CLAIM);
  const state = reduce(begun, typing(['title'], 'Hotel'));
  expect(begun.entry.kind === 'record' && state.entry.kind === 'record').toBe(true);
  if (begun.entry.kind !== 'record' || state.entry.kind !== 'record') return;
  expect(state.entry.parts.notes).toBe(begun.entry.parts.notes);
});

test('an action for a place that is gone changes nothing', () => {
  const state = start(LIST);
  expect(reduce(state, typing([3, 'title'], 'x'))).toBe(state);
  expect(reduce(state, uploading([0, 'receipt'], 'a'))).toBe(state);
});

test('names in a map may be the same while they are typed, and are refused then', () => {
  const schema: Schema = { type: 'object', additionalProperties: { type: 'integer' } };
  const row: Action = { type: 'added', at: [], entry: fresh({ type: 'integer' }) };
  const state = after(
    start(schema),
    row,
    row,
    { type: 'renamed', at: [], index: 0, name: 'a' },
    { type: 'renamed', at: [], index: 1, name: 'a' },
    { type: 'typed', at: [0], reading: { value: 1 } },
    { type: 'typed', at: [1], reading: { value: 2 } },
  );
  expect(faultsOf(state.entry, schema, schema)).toEqual([{ path: [], reason: 'The name "a" is used twice' }]);
  const other = reduce(state, { type: 'renamed', at: [], index: 1, name: 'ab' });
  expect(valueOf(other.entry)).toEqual({ a: 1, ab: 2 });
});

test('what came from elsewhere is marked until it is touched', () => {
  const begun = beginning(read(CLAIM, CLAIM, { title: 'Hotel', notes: 'x' }, 'suggested'));
  const state = reduce(begun, typing(['title'], 'Inn'));
  const from = (entry: Entry, name: string) => entry.kind === 'record' && entry.parts[name]?.from;
  expect([from(begun.entry, 'title'), from(state.entry, 'title')]).toEqual(['suggested', undefined]);
  expect(from(state.entry, 'notes')).toBe('suggested');
  expect([begun.changed, state.changed]).toEqual([false, true]);
});
