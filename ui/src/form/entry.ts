/**
 * What is in a form: a tree with one entry for each field, which also holds what is not a value (yet): half a number, a running upload, the
 * chosen member of a union. It is read from a value, and written as one.
 *
 * A field has an address in the tree, and everything is changed at its address, so that no change can undo another one.
 */
import { isObject, type Json, type JsonObject } from '../api/json';
import { fits, type Path } from './check';
import { readAs, textOf, type Reading } from './reading';
import { resolve, shapeOf, type Schema, type Shape } from './shape';

/** Where a value came from that nobody has typed. */
export type Source = 'suggested' | 'default';

type Marked = { from?: Source | undefined };
/** `text` is what was typed, `wrong` why it is not a value, `upload` the upload that will give the value. */
export type Leaf = Marked & { kind: 'leaf'; upload?: string } & Reading;
export type RecordEntry = Marked & { kind: 'record'; parts: Record<string, Entry>; rest?: JsonObject };
export type Item = { id: number; of: Entry };
/** A list or a tuple. */
export type ListEntry = Marked & { kind: 'list'; items: Item[] };
export type Row = Item & { name: string };
export type MapEntry = Marked & { kind: 'map'; rows: Row[] };
export type UnionEntry = Marked & { kind: 'union'; member: number; of: Entry };
/** What may be null, or (`none` is undefined) left out. */
export type OptionalEntry = Marked & { kind: 'optional'; none: null | undefined; of: Entry | undefined };
export type Entry = Leaf | RecordEntry | ListEntry | MapEntry | UnionEntry | OptionalEntry;

/** A part of a record, a place in a list or among the rows of a map, or (null) what a union or an optional entry holds. */
export type Address = (string | number | null)[];

/** Deeper records begin empty: a type may contain itself. */
const DEEPEST = 12;
const MOST_ITEMS = 20;

const GROUPS: ReadonlySet<Shape['kind']> = new Set(['record', 'list', 'map', 'tuple', 'union', 'anything']);

/** Whether an optional value of this kind is one field, which is empty when there is no value. */
export function isOneField(schema: Schema, root: Schema): boolean {
  const shape = shapeOf(schema, root);
  return shape.kind === 'optional' ? isOneField(shape.inner, root) : !GROUPS.has(shape.kind);
}

/** Whether a part of a record may be left out, and nothing says what is taken in its place. */
export function mayBeAbsent(part: Schema, root: Schema, isRequired: boolean): boolean {
  return !isRequired && resolve(part, root).default === undefined;
}

const leaf = (value: Json | undefined, from?: Source): Leaf => ({ kind: 'leaf', value, from });

/** What a field begins with. */
export function blank(given: Schema, root: Schema, depth = 0): Entry {
  const schema = resolve(given, root);
  if (schema.default !== undefined) return read(schema, root, schema.default, 'default', depth);
  const shape = shapeOf(schema, root);
  switch (shape.kind) {
    case 'constant':
      return leaf(shape.value);
    case 'nothing':
      return leaf(null);
    case 'choice':
      return leaf(shape.choices.length === 1 ? shape.choices[0]?.value : undefined);
    case 'optional':
      return optional(shape.inner, root, null, undefined);
    case 'list':
      return listOf(
        Array.from({ length: Math.min(Number(schema.minItems ?? 0), MOST_ITEMS) }, () =>
          blank(shape.items, root, depth + 1),
        ),
      );
    case 'tuple':
      return listOf(shape.items.map((item) => blank(item, root, depth + 1)));
    case 'map':
      return { kind: 'map', rows: [] };
    case 'union':
      return { kind: 'union', member: 0, of: blank(shape.members[0] ?? {}, root, depth + 1) };
    case 'record':
      if (depth > DEEPEST) return leaf(undefined);
      return {
        kind: 'record',
        parts: Object.fromEntries(
          shape.parts.map(([name, part]) => [name, blankPart(part, root, shape.required.has(name), depth)]),
        ),
      };
    default:
      return leaf(undefined);
  }
}

function blankPart(part: Schema, root: Schema, isRequired: boolean, depth: number): Entry {
  return mayBeAbsent(part, root, isRequired)
    ? optional(part, root, undefined, undefined, depth)
    : blank(part, root, depth + 1);
}

function optional(
  inner: Schema,
  root: Schema,
  none: null | undefined,
  of: Entry | undefined,
  depth = 0,
): OptionalEntry {
  if (of) return { kind: 'optional', none, of };
  if (!isOneField(inner, root)) return { kind: 'optional', none, of: undefined };
  const isConstant = shapeOf(inner, root).kind === 'constant';
  return { kind: 'optional', none, of: isConstant ? leaf(undefined) : blank(inner, root, depth + 1) };
}

const listOf = (entries: Entry[], from?: Source): ListEntry => ({
  kind: 'list',
  items: entries.map((of, id) => ({ id, of })),
  from,
});

/** A list or a map with one entry. */
export function withOne(isMap: boolean, of: Entry): Entry {
  return isMap ? { kind: 'map', rows: [{ id: 0, name: '', of }] } : listOf([of]);
}

/** Read a value into entries. What does not fit its schema stays whole, in one leaf. */
export function read(given: Schema, root: Schema, value: Json | undefined, from: Source | undefined, depth = 0): Entry {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  if (shape.kind === 'optional') {
    const { inner } = shape;
    if (value === null) return { ...optional(inner, root, null, undefined, depth), from };
    if (value === undefined) return optional(inner, root, null, undefined, depth);
    return optional(inner, root, null, read(inner, root, value, from, depth + 1));
  }
  if (value === undefined) return depth === 0 ? blank(schema, root) : empty(schema, root, depth);
  switch (shape.kind) {
    case 'record':
      return isObject(value) ? readRecord(shape, root, value, from, depth) : leaf(value, from);
    case 'list':
    case 'tuple': {
      if (!Array.isArray(value)) return leaf(value, from);
      if (shape.kind === 'tuple' && value.length !== shape.items.length) return leaf(value, from);
      const itemOf = (index: number) => (shape.kind === 'list' ? shape.items : (shape.items[index] ?? {}));
      return listOf(
        value.map((each, index) => read(itemOf(index), root, each, from, depth + 1)),
        from,
      );
    }
    case 'map': {
      if (!isObject(value)) return leaf(value, from);
      const rows = Object.entries(value).map(([name, each], id) => ({
        id,
        name,
        of: read(shape.values, root, each, from, depth + 1),
      }));
      return { kind: 'map', rows, from };
    }
    case 'union': {
      const member = Math.max(
        0,
        shape.members.findIndex((each) => fits(each, root, value)),
      );
      return { kind: 'union', member, of: read(shape.members[member] ?? {}, root, value, from, depth + 1), from };
    }
    case 'nothing':
    case 'anything':
      return leaf(value, from);
    default:
      // A list with a place that has no value yet was kept as null.
      if (value === null) return leaf(undefined);
      return { kind: 'leaf', ...readAs(shape, value), from };
  }
}

/** The entry of a part that a value does not have: a draft of a form in which somebody has cleared it. */
function empty(schema: Schema, root: Schema, depth: number): Entry {
  return blank(isOneField(schema, root) ? { ...schema, default: undefined as unknown as Json } : schema, root, depth);
}

function readRecord(
  shape: Shape & { kind: 'record' },
  root: Schema,
  value: JsonObject,
  from: Source | undefined,
  depth: number,
): RecordEntry {
  const rest = { ...value };
  const parts = shape.parts.map(([name, part]): [string, Entry] => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    delete rest[name];
    if (!mayBeAbsent(part, root, shape.required.has(name))) return [name, read(part, root, given, from, depth + 1)];
    const of = given === undefined ? undefined : read(part, root, given, from, depth + 1);
    return [name, optional(part, root, undefined, of, depth)];
  });
  return { kind: 'record', parts: withNames(parts), ...(Object.keys(rest).length > 0 ? { rest } : {}), from };
}

/** Unlike an assignment, this gives an object a part that is called `__proto__`. */
const withNames = <T>(parts: (readonly [string, T])[]): Record<string, T> => Object.fromEntries(parts);

/** Whether nothing is in an entry: no value, no text, no upload. */
export function isBlank(entry: Entry): boolean {
  switch (entry.kind) {
    case 'leaf':
      return entry.value === undefined && !entry.text && !entry.wrong && !entry.upload;
    case 'optional':
      return entry.of === undefined || isBlank(entry.of);
    default:
      return false;
  }
}

/** Write a form as a value; typed text that is not a value stands in it as text. */
export function valueOf(entry: Entry): Json | undefined {
  switch (entry.kind) {
    case 'leaf':
      return entry.wrong ? textOf(entry) : entry.value;
    case 'record': {
      const parts = Object.entries(entry.parts).map(([name, part]) => [name, valueOf(part)] as const);
      return { ...withNames(parts.filter(([, value]) => value !== undefined)), ...entry.rest } as JsonObject;
    }
    case 'list':
      // A place without a value is undefined here; it is refused before it is sent.
      return entry.items.map(({ of }) => valueOf(of)) as Json[];
    case 'map':
      return Object.fromEntries(entry.rows.map(({ name, of }) => [name, valueOf(of) as Json]));
    case 'union':
      return valueOf(entry.of);
    case 'optional':
      return entry.of === undefined || isBlank(entry.of) ? entry.none : valueOf(entry.of);
  }
}

/** Return the entry at an address; undefined if there is none. */
export function entryAt(entry: Entry | undefined, at: Address): Entry | undefined {
  let found = entry;
  for (const step of at) found = found && inside(found, step);
  return found;
}

function inside(entry: Entry, step: string | number | null): Entry | undefined {
  switch (entry.kind) {
    case 'leaf':
      return undefined;
    case 'record':
      return typeof step === 'string' && Object.hasOwn(entry.parts, step) ? entry.parts[step] : undefined;
    case 'list':
      return typeof step === 'number' ? entry.items[step]?.of : undefined;
    case 'map':
      return typeof step === 'number' ? entry.rows[step]?.of : undefined;
    case 'union':
    case 'optional':
      return step === null ? entry.of : undefined;
  }
}

/** Change one entry; everything beside it stays the same object. An address that is gone changes nothing. */
export function changeAt(entry: Entry, at: Address, change: (entry: Entry) => Entry): Entry {
  const [step, ...further] = at;
  if (step === undefined) return change(entry);
  const old = inside(entry, step);
  if (old === undefined) return entry;
  const of = changeAt(old, further, change);
  if (of === old) return entry;
  const own = { ...entry, from: undefined };
  switch (own.kind) {
    case 'leaf':
      return entry;
    case 'record':
      return { ...own, parts: { ...own.parts, [step as string]: of } };
    case 'list':
      return { ...own, items: own.items.map((item, index) => (index === step ? { ...item, of } : item)) };
    case 'map':
      return { ...own, rows: own.rows.map((row, index) => (index === step ? { ...row, of } : row)) };
    case 'union':
    case 'optional':
      return { ...own, of };
  }
}

/** Where an address leads in the value. */
export function pathOf(entry: Entry, at: Address): Path {
  const path: Path = [];
  let here: Entry | undefined = entry;
  for (const step of at) {
    if (here?.kind === 'map' && typeof step === 'number') path.push(here.rows[step]?.name ?? '');
    else if (step !== null) path.push(step);
    here = here && inside(here, step);
  }
  return path;
}

/** Call `visit` with each leaf and its address. */
export function eachLeaf(entry: Entry, visit: (leaf: Leaf, at: Address) => void, at: Address = []): void {
  switch (entry.kind) {
    case 'leaf':
      return visit(entry, at);
    case 'record':
      return Object.entries(entry.parts).forEach(([name, part]) => eachLeaf(part, visit, [...at, name]));
    case 'list':
      return entry.items.forEach(({ of }, index) => eachLeaf(of, visit, [...at, index]));
    case 'map':
      return entry.rows.forEach(({ of }, index) => eachLeaf(of, visit, [...at, index]));
    case 'union':
    case 'optional':
      if (entry.of) eachLeaf(entry.of, visit, [...at, null]);
  }
}
