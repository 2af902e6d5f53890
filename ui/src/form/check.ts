/** Where something is in a value, and whether a value is one of a schema: enough to tell the members of a union apart. */
import { isBig, isObject, type Json } from '../api/json';
import { resolve, shapeOf, type Schema } from './shape';
import { parseDuration } from './instants';

export type Path = (string | number)[];

export const keyOf = (path: Path): string => JSON.stringify(path);

/** Write where something is, as people count. */
export const spellPath = (path: Path): string =>
  path.map((each) => (typeof each === 'number' ? `${each + 1}.` : each)).join(' → ');

const WHOLE = /^-?\d+$/;

export function same(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isWhole(value: Json): boolean {
  return isBig(value) ? WHOLE.test(value.rawJSON) : Number.isInteger(value);
}

/** Whether a value is of a schema, by its kind and the names of its parts; what its limits are, the server knows. */
export function fits(given: Schema, root: Schema, value: Json | undefined): boolean {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  if (value === undefined) return false;
  switch (shape.kind) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'nothing':
      return value === null;
    case 'constant':
      return same(value, shape.value);
    case 'choice':
      return shape.choices.some((each) => same(each.value, value));
    case 'whole':
      return isWhole(value);
    case 'number':
      return typeof value === 'number' || isBig(value) || (isObject(value) && '$float' in value);
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== undefined;
    case 'decimal':
      return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);
    case 'instant':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d[T ]\d\d:/.test(value);
    case 'time':
      return typeof value === 'string' && /^\d\d:\d\d/.test(value);
    case 'text':
      return typeof value === 'string';
    case 'bytes':
      return typeof value === 'string' || (isObject(value) && '$blob' in value);
    case 'blob':
      return isObject(value) && ('$blob' in value || '$uri' in value);
    case 'list':
      return Array.isArray(value) && value.every((each) => fits(shape.items, root, each));
    case 'tuple':
      return (
        Array.isArray(value) &&
        value.length === shape.items.length &&
        shape.items.every((item, index) => fits(item, root, value[index]))
      );
    case 'record':
      return (
        isObject(value) &&
        shape.parts.every(([name, part]) =>
          Object.hasOwn(value, name) ? fits(part, root, value[name]) : !shape.required.has(name),
        ) &&
        (schema.additionalProperties !== false ||
          Object.keys(value).every((name) => shape.parts.some(([known]) => known === name)))
      );
    case 'map':
      return isObject(value) && Object.values(value).every((each) => fits(shape.values, root, each));
    case 'optional':
      return value === null || fits(shape.inner, root, value);
    case 'union':
      return shape.members.some((each) => fits(each, root, value));
    case 'anything':
      return true;
  }
}
