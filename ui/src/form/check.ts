/** What is wrong with a value, as far as the page can tell; the server has the last word. */
import { isBig, isObject, type Json } from '../api/json';
import type { FaultDocument } from '../api/types';
import { resolve, shapeOf, spell, type Schema } from './shape';
import { parseDuration } from './instants';

export type Path = (string | number)[];

export const keyOf = (path: Path): string => JSON.stringify(path);

/** Write where something is, as people count. */
export const spellPath = (path: Path): string =>
  path.map((each) => (typeof each === 'number' ? `${each + 1}.` : each)).join(' → ');

const MISSING = 'Needs a value';
const BIG = /^-?\d+$/;

export function check(given: Schema, root: Schema, value: Json | undefined, path: Path = []): FaultDocument[] {
  const schema = resolve(given, root);
  const shape = shapeOf(schema, root);
  const fault = (reason: string): FaultDocument[] => [{ path, reason }];
  if (value === undefined)
    return fault(shape.kind === 'blob' ? choose(shape.of) : shape.kind === 'bytes' ? 'Choose a file' : MISSING);
  switch (shape.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? [] : fault('Choose yes or no');
    case 'nothing':
      return value === null ? [] : fault('Must be nothing');
    case 'constant':
      return same(value, shape.value) ? [] : fault(`Must be ${spell(shape.value)}`);
    case 'choice':
      return shape.choices.some((each) => same(each.value, value)) ? [] : fault('Choose one of these');
    case 'whole':
      return isWhole(value) ? bounds(schema, value, path) : fault('Must be a whole number');
    case 'number':
      return typeof value === 'number' || isBig(value) ? bounds(schema, value, path) : fault('Must be a number');
    case 'text':
      return typeof value === 'string' ? text(schema, value, path) : fault('Must be text');
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== undefined
        ? []
        : fault('Must be a duration, such as 90 minutes');
    case 'decimal':
      return typeof value === 'string' && /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(value)
        ? []
        : fault('Must be a number, such as 12.50');
    case 'date':
    case 'instant':
    case 'time':
      return typeof value === 'string' && value ? [] : fault(MISSING);
    case 'bytes':
      return typeof value === 'string' || isObject(value) ? [] : fault('Choose a file');
    case 'blob':
      return isObject(value) && ('$blob' in value || '$uri' in value) ? [] : fault(choose(shape.of));
    case 'list':
      return list(schema, shape.items, root, value, path);
    case 'tuple':
      if (!Array.isArray(value)) return fault(MISSING);
      return shape.items.flatMap((item, index) => check(item, root, value[index], [...path, index]));
    case 'record':
      if (!isObject(value)) return fault(MISSING);
      return shape.parts.flatMap(([name, part]) =>
        value[name] === undefined && !shape.required.has(name) ? [] : check(part, root, value[name], [...path, name]),
      );
    case 'map':
      if (!isObject(value)) return fault('Must be an object');
      return Object.entries(value).flatMap(([name, each]) => check(shape.values, root, each, [...path, name]));
    case 'optional':
      return value === null ? [] : check(shape.inner, root, value, path);
    case 'union': {
      const found = shape.members.map((each) => check(each, root, value, path));
      return found.reduce((best, each) => (each.length < best.length ? each : best));
    }
    case 'anything':
      return [];
  }
}

function choose(of: string): string {
  return of === 'directory' ? 'Choose a directory' : 'Choose a file';
}

export function isWhole(value: Json): boolean {
  return isBig(value) ? BIG.test(value.rawJSON) : Number.isInteger(value);
}

export function same(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function bounds(schema: Schema, value: Json, path: Path): FaultDocument[] {
  const number = isBig(value) ? Number(value.rawJSON) : Number(value);
  const rules: [string, (limit: number) => boolean, string][] = [
    ['minimum', (limit) => number >= limit, 'at least'],
    ['maximum', (limit) => number <= limit, 'at most'],
    ['exclusiveMinimum', (limit) => number > limit, 'more than'],
    ['exclusiveMaximum', (limit) => number < limit, 'less than'],
  ];
  return rules
    .filter(([key, holds]) => typeof schema[key] === 'number' && !holds(schema[key]))
    .map(([key, , words]) => ({ path, reason: `Must be ${words} ${String(schema[key])}` }));
}

function text(schema: Schema, value: string, path: Path): FaultDocument[] {
  const length = [...value].length;
  if (typeof schema.minLength === 'number' && length < schema.minLength)
    return [{ path, reason: `At least ${schema.minLength} character${schema.minLength === 1 ? '' : 's'}` }];
  if (typeof schema.maxLength === 'number' && length > schema.maxLength)
    return [{ path, reason: `At most ${schema.maxLength} character${schema.maxLength === 1 ? '' : 's'}` }];
  return [];
}

function list(schema: Schema, items: Schema, root: Schema, value: Json, path: Path): FaultDocument[] {
  if (!Array.isArray(value)) return [{ path, reason: 'Must be a list' }];
  const { minItems: least, maxItems: most } = schema;
  if (typeof least === 'number' && value.length < least)
    return [{ path, reason: `At least ${least} item${least === 1 ? '' : 's'}` }];
  if (typeof most === 'number' && value.length > most)
    return [{ path, reason: `At most ${most} item${most === 1 ? '' : 's'}` }];
  return value.flatMap((each, index) => check(items, root, each, [...path, index]));
}
