/** Which values of a question can be compared, and as which texts. */
import { isBig, isObject, writeJson, type Json, type JsonObject } from '../api/json';
import { isBlob } from '../show/blob';
import { isTextFile } from '../show/media';

/** One side: a value with its name. */
export type Side = { key: string; label: string; value: Json };
export type Pair = { left: Side; right: Side };

type Kind = 'text' | 'record' | 'list';

/** Characters from which a text is worth a comparison: a shorter one is seen at a glance. */
const LONG = 60;
/** How many of the fields of two records must be the same fields. */
const ALIKE = 0.5;
/** Names of what came before: it stands on the left. */
const EARLIER =
  /^(before|old|previous|prev|current|currently|baseline|base|original|from|existing|production|expected|left|a)\b|_(before|old)$/i;

function kindOf(value: Json): Kind | undefined {
  if (typeof value === 'string') return value.length >= LONG || value.trim().includes('\n') ? 'text' : undefined;
  if (isTextFile(value)) return 'text';
  if (typeof value !== 'object' || value === null || isBig(value) || isBlob(value)) return undefined;
  if (Array.isArray(value)) return value.length > 0 && !value.some((each) => isBlob(each)) ? 'list' : undefined;
  const parts = Object.values(value) as Json[];
  return parts.length > 1 && !parts.some((each) => isBlob(each)) ? 'record' : undefined;
}

function areAlike(one: Json, other: Json): boolean {
  const kind = kindOf(one);
  if (kind === undefined || kind !== kindOf(other)) return false;
  if (kind === 'record') return sharedFields(one as JsonObject, other as JsonObject);
  if (kind !== 'list') return true;
  const [first, second] = [(one as Json[])[0], (other as Json[])[0]];
  if (isObject(first) && isObject(second)) return sharedFields(first, second);
  return typeof first === typeof second && Array.isArray(first) === Array.isArray(second);
}

function sharedFields(one: JsonObject, other: JsonObject): boolean {
  const names = Object.keys(one);
  const shared = names.filter((name) => Object.hasOwn(other, name)).length;
  return shared >= ALIKE * Math.max(names.length, Object.keys(other).length);
}

/** All pairs of one kind. First those of the same name in the round before; what came before stands on the left. */
export function pairsOf(sides: readonly Side[], earlier: readonly Side[]): Pair[] {
  const found: Pair[] = [];
  for (const right of sides) {
    const left = earlier.find(({ key }) => key === right.key);
    if (left && areAlike(left.value, right.value)) found.push({ left, right });
  }
  sides.forEach((one, at) => {
    for (const other of sides.slice(at + 1)) {
      if (!areAlike(one.value, other.value)) continue;
      // The subject comes first among the values, and is the new one unless names say otherwise.
      const isNew =
        one.key === 'value' ? !EARLIER.test(one.label) : EARLIER.test(other.label) && !EARLIER.test(one.label);
      found.push(isNew ? { left: other, right: one } : { left: one, right: other });
    }
  });
  return found;
}

/** Write a value so that equal parts are equal lines: fields in the order of `like`, rows of a table one below the other. */
export function linesOf(value: Json, like?: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every(isRow))
    return value.map((each, at) => writeJson(ordered(each, Array.isArray(like) ? like[at] : undefined))).join('\n');
  return writeJson(ordered(value, like), 2);
}

const isRow = (value: Json): boolean =>
  typeof value !== 'object' ||
  value === null ||
  isBig(value) ||
  Object.values(value).every((each) => typeof each !== 'object' || each === null || isBig(each));

/** The same value, with its fields in the order in which another one has them. */
function ordered(value: Json, like: Json | undefined): Json {
  if (Array.isArray(value))
    return value.map((each, at) => ordered(each, Array.isArray(like) ? (like[at] ?? like[0]) : undefined));
  if (!isObject(value) || !isObject(like)) return value;
  const known = Object.keys(like).filter((name) => Object.hasOwn(value, name));
  const rest = Object.keys(value).filter((name) => !Object.hasOwn(like, name));
  return Object.fromEntries([...known, ...rest].map((name) => [name, ordered(value[name] ?? null, like[name])]));
}
