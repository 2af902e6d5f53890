/** Everything that can happen to a form, as one reducer: each action changes one place, whatever else has happened since it began. */
import type { Json } from '../api/json';
import type { FaultDocument } from '../api/types';
import { keyOf } from './check';
import {
  changeAt,
  eachLeaf,
  entryAt,
  pathOf,
  type Address,
  type Entry,
  type Item,
  type ListEntry,
  type MapEntry,
} from './entry';
import type { Reading } from './reading';

/** A file on its way; `done` and `size` are bytes. */
export type Upload = { name: string; size: number; done: number; begun: number; error: string };

export type FormState = {
  entry: Entry;
  uploads: Readonly<Record<string, Upload>>;
  faults: FaultDocument[];
  /** Whether the faults kept it from being sent; those that are found while people type are told at their fields only. */
  refused: boolean;
  /** Whether a person has changed anything. */
  changed: boolean;
};

export type Action =
  | { type: 'typed'; at: Address; reading: Reading }
  | { type: 'put'; at: Address; entry: Entry }
  | { type: 'added'; at: Address; entry: Entry }
  | { type: 'removed'; at: Address; index: number }
  | { type: 'renamed'; at: Address; index: number; name: string }
  | { type: 'replaced'; entry: Entry; changed: boolean }
  | { type: 'uploading'; at: Address; upload: string; name: string; size: number; begun: number }
  | { type: 'progress'; upload: string; done: number }
  | { type: 'uploaded'; upload: string; value: Json }
  | { type: 'broken'; upload: string; error: string }
  | { type: 'retried'; upload: string; begun: number }
  | { type: 'cancelled'; upload: string }
  | { type: 'faults'; faults: FaultDocument[]; refused: boolean };

export function beginning(entry: Entry): FormState {
  return { entry, uploads: {}, faults: [], refused: false, changed: false };
}

/** How many files are on their way. */
export function pendingOf(state: FormState): number {
  return Object.values(state.uploads).filter((each) => !each.error).length;
}

export function reduce(state: FormState, action: Action): FormState {
  switch (action.type) {
    case 'typed':
      return edited(state, action.at, () => ({ kind: 'leaf', ...action.reading }));
    case 'put':
      return edited(state, action.at, () => action.entry);
    case 'added':
      return edited(state, action.at, (entry) => withItem(entry, action.entry));
    case 'removed':
      return edited(state, action.at, (entry) => withoutItem(entry, action.index));
    case 'renamed':
      return edited(state, action.at, (entry) =>
        entry.kind === 'map'
          ? {
              ...entry,
              rows: entry.rows.map((row, at) => (at === action.index ? { ...row, name: action.name } : row)),
            }
          : entry,
      );
    case 'replaced':
      return kept({ ...state, entry: action.entry, faults: [], refused: false, changed: action.changed });
    case 'uploading':
      return uploading(state, action);
    case 'progress':
      return withUpload(state, action.upload, (upload) => ({ ...upload, done: action.done }));
    case 'broken':
      return withUpload(state, action.upload, (upload) => ({ ...upload, error: action.error }));
    case 'retried':
      return withUpload(state, action.upload, (upload) => ({ ...upload, begun: action.begun, done: 0, error: '' }));
    case 'uploaded':
    case 'cancelled':
      return ended(state, action);
    case 'faults':
      return { ...state, faults: action.faults, refused: action.refused };
  }
}

/** Change what is at an address; what was said against it, and against what is in it, is no longer known to be true. */
function edited(state: FormState, at: Address, change: (entry: Entry) => Entry): FormState {
  const entry = changeAt(state.entry, at, change);
  if (entry === state.entry) return state;
  const path = pathOf(state.entry, at);
  const isInside = (fault: FaultDocument) => keyOf(fault.path.slice(0, path.length)) === keyOf(path);
  return kept({ ...state, entry, changed: true, faults: state.faults.filter((each) => !isInside(each)) });
}

/** Forget the uploads that no field waits for. */
function kept(state: FormState): FormState {
  const awaited = new Set<string>();
  eachLeaf(state.entry, ({ upload }) => upload !== undefined && awaited.add(upload));
  const uploads = Object.entries(state.uploads);
  const left = uploads.filter(([id]) => awaited.has(id));
  return left.length === uploads.length ? state : { ...state, uploads: Object.fromEntries(left) };
}

const nextId = (items: Item[]): number => 1 + Math.max(-1, ...items.map(({ id }) => id));

function withItem(entry: Entry, of: Entry): ListEntry | MapEntry {
  if (entry.kind === 'map') return { kind: 'map', rows: [...entry.rows, { id: nextId(entry.rows), name: '', of }] };
  const items = entry.kind === 'list' ? entry.items : [];
  return { kind: 'list', items: [...items, { id: nextId(items), of }] };
}

function withoutItem(entry: Entry, index: number): Entry {
  if (entry.kind === 'map') return { kind: 'map', rows: entry.rows.filter((_, at) => at !== index) };
  if (entry.kind === 'list') return { kind: 'list', items: entry.items.filter((_, at) => at !== index) };
  return entry;
}

function uploading(
  state: FormState,
  { at, upload, name, size, begun }: Extract<Action, { type: 'uploading' }>,
): FormState {
  const before = entryAt(state.entry, at);
  if (before === undefined) return state;
  const uploads = { ...state.uploads, [upload]: { name, size, begun, done: 0, error: '' } };
  return edited({ ...state, uploads }, at, () => ({ kind: 'leaf', value: undefined, upload }));
}

function withUpload(state: FormState, id: string, change: (upload: Upload) => Upload): FormState {
  const upload = state.uploads[id];
  return upload === undefined ? state : { ...state, uploads: { ...state.uploads, [id]: change(upload) } };
}

/** The field that waits for an upload gets its value, wherever the field is by now. */
function ended(state: FormState, action: Extract<Action, { type: 'uploaded' | 'cancelled' }>): FormState {
  let found: Address | undefined;
  eachLeaf(state.entry, ({ upload }, at) => {
    if (upload === action.upload) found = at;
  });
  if (found === undefined) return state;
  return edited(state, found, () => ({
    kind: 'leaf',
    value: action.type === 'uploaded' ? action.value : undefined,
  }));
}
