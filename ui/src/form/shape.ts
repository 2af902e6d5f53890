/** What a JSON Schema asks for, as the kinds of fields that there are. Every schema has one: what is not known is `anything`. */
import { isObject, type Json, type JsonObject } from '../api/json';

export type Schema = JsonObject;

export type Choice = { value: Json; label: string };

export const YES_NO: Choice[] = [
  { value: true, label: 'Yes' },
  { value: false, label: 'No' },
];

export type Shape =
  | { kind: 'boolean' }
  | { kind: 'choice'; choices: Choice[] }
  | { kind: 'constant'; value: Json }
  | { kind: 'nothing' }
  | { kind: 'whole' | 'number' }
  | { kind: 'text'; format: string }
  | { kind: 'date' | 'instant' | 'time' | 'duration' | 'decimal' }
  | { kind: 'bytes' }
  | { kind: 'blob'; of: string; web: boolean }
  | { kind: 'list'; items: Schema }
  | { kind: 'tuple'; items: Schema[] }
  | { kind: 'record'; parts: [string, Schema][]; required: ReadonlySet<string> }
  | { kind: 'map'; values: Schema; keys: Schema }
  | { kind: 'optional'; inner: Schema }
  | { kind: 'union'; members: Schema[] }
  | { kind: 'anything' };

const FORMATS: Record<string, Shape['kind'] & ('date' | 'instant' | 'time' | 'duration' | 'decimal')> = {
  date: 'date',
  'date-time': 'instant',
  'iso-date-time': 'instant',
  'iso-time': 'time',
  'iso-duration': 'duration',
  duration: 'duration',
  decimal: 'decimal',
};

const asSchema = (value: Json | undefined): Schema => (isObject(value) ? value : {});
const asList = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** Follow references, and take apart what says one thing in `allOf`. */
export function resolve(schema: Schema, root: Schema): Schema {
  let found = schema;
  for (let steps = 0; steps < 32 && typeof found.$ref === 'string'; steps += 1) {
    const { $ref, ...own } = found;
    let target: Json | undefined = root;
    for (const part of String($ref).replace(/^#\/?/, '').split('/').filter(Boolean)) {
      target = isObject(target)
        ? target[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')]
        : undefined;
    }
    found = { ...asSchema(target), ...own };
  }
  const all = asList(found.allOf);
  if (all.length === 1) {
    const { allOf: _, ...own } = found;
    return { ...resolve(asSchema(all[0]), root), ...own };
  }
  return found;
}

export function shapeOf(given: Schema, root: Schema): Shape {
  const schema = resolve(given, root);
  if (typeof schema['x-tidegate'] === 'string') {
    const of = schema['x-tidegate'];
    return of === 'bytes' ? { kind: 'bytes' } : { kind: 'blob', of, web: '$uri' in asSchema(schema.properties) };
  }
  if (Array.isArray(schema.enum) && schema.enum.length === 1)
    return { kind: 'constant', value: schema.enum[0] ?? null };
  if (Array.isArray(schema.enum)) return { kind: 'choice', choices: choicesOf(schema.enum, asList(schema['x-names'])) };
  if ('const' in schema) return { kind: 'constant', value: schema.const ?? null };
  const members = [...asList(schema.anyOf), ...asList(schema.oneOf)].map(asSchema);
  if (members.length > 0) return unionOf(members, root);
  if (Array.isArray(schema.type)) {
    return unionOf(
      schema.type.map((type) => ({ ...schema, type })),
      root,
    );
  }
  return plainShape(schema);
}

function plainShape(schema: Schema): Shape {
  switch (schema.type) {
    case 'boolean':
      return { kind: 'boolean' };
    case 'null':
      return { kind: 'nothing' };
    case 'integer':
      return { kind: 'whole' };
    case 'number':
      return { kind: 'number' };
    case 'string':
      return textShape(String(schema.format ?? ''));
    case 'array':
      return listShape(schema);
    case 'object':
      return objectShape(schema);
    default:
      return { kind: 'anything' };
  }
}

function textShape(format: string): Shape {
  const kind = FORMATS[format];
  return kind === undefined ? { kind: 'text', format } : { kind };
}

function listShape(schema: Schema): Shape {
  if (Array.isArray(schema.prefixItems)) return { kind: 'tuple', items: schema.prefixItems.map(asSchema) };
  return { kind: 'list', items: asSchema(schema.items) };
}

function objectShape(schema: Schema): Shape {
  if (isObject(schema.properties) && Object.keys(schema.properties).length > 0) {
    const parts = Object.entries(schema.properties).map(([name, part]): [string, Schema] => [name, asSchema(part)]);
    return { kind: 'record', parts, required: new Set(asList(schema.required).map(String)) };
  }
  if (schema.additionalProperties === false) return { kind: 'record', parts: [], required: new Set() };
  return { kind: 'map', values: asSchema(schema.additionalProperties), keys: asSchema(schema.propertyNames) };
}

function unionOf(members: Schema[], root: Schema): Shape {
  const some = members.filter((each) => resolve(each, root).type !== 'null');
  if (some.length === 0) return { kind: 'nothing' };
  if (some.length < members.length) {
    return { kind: 'optional', inner: some.length === 1 && some[0] ? some[0] : { anyOf: some } };
  }
  return { kind: 'union', members: some };
}

function choicesOf(values: Json[], names: Json[]): Choice[] {
  return values.map((value, index) => {
    const shown = spell(value);
    const name = names[index];
    return { value, label: typeof name === 'string' && !saysTheSame(name, shown) ? `${name} (${shown})` : shown };
  });
}

/** Whether the name of a member tells nothing that its value does not tell: `IN_PROGRESS` is "in progress". */
function saysTheSame(name: string, shown: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[\s_-]+/g, '_');
  return plain(name) === plain(shown);
}

/** Write a plain value as a person would. */
export function spell(value: Json): string {
  if (value === null) return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const WORDS: Record<Shape['kind'], string> = {
  boolean: 'Yes or no',
  choice: 'One of a few',
  constant: 'Constant',
  nothing: 'Nothing',
  whole: 'Whole number',
  number: 'Number',
  text: 'Text',
  date: 'Date',
  instant: 'Date and time',
  time: 'Time of day',
  duration: 'Duration',
  decimal: 'Exact number',
  bytes: 'Bytes',
  blob: 'File',
  list: 'List',
  tuple: 'List',
  record: 'Object',
  map: 'Object',
  optional: 'Optional',
  union: 'One of several',
  anything: 'Any value',
};

const BLOBS: Record<string, string> = {
  file: 'File',
  directory: 'Directory',
  ndarray: 'Array (.npy)',
  table: 'Table (.parquet)',
  pickle: 'Python object',
};

const DEEPEST_NAME = 3;

/** Name a schema in a few words, for the choice between the members of a union. */
export function nameOf(given: Schema, root: Schema, depth = 0): string {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  if (typeof schema.title === 'string' && schema.title) return schema.title;
  switch (shape.kind) {
    case 'choice':
      return shape.choices
        .slice(0, 4)
        .map((each) => each.label)
        .join(', ');
    case 'constant':
      return spell(shape.value);
    case 'blob':
      return BLOBS[shape.of] ?? 'File';
    case 'list':
      return depth < DEEPEST_NAME ? `List: ${nameOf(shape.items, root, depth + 1)}` : WORDS.list;
    case 'union':
      return depth < DEEPEST_NAME
        ? shape.members.map((each) => nameOf(each, root, depth + 1)).join(' or ')
        : WORDS.union;
    case 'optional':
      return depth < DEEPEST_NAME ? `${nameOf(shape.inner, root, depth + 1)}, or nothing` : WORDS.optional;
    case 'text':
      return shape.format === 'uuid' ? 'UUID' : WORDS.text;
    default:
      return WORDS[shape.kind];
  }
}
