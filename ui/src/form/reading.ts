/** What is typed into one field, and the value that it means: the same as at a terminal (`types/text.py`). */
import { isBig, parseJson, signed, whole, writeJson, type Json } from '../api/json';
import { instantOf, isNaive, parseDuration } from './instants';
import type { Shape } from './shape';

/** `text` is there where it says more than the value: how a number was written, or text that is not one. */
export type Reading = { value: Json | undefined; text?: string; wrong?: string };

const WHOLE = /^[+-]?\d+$/;
/** `Number` would take `0x10`, and an empty text. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WITH_COMMA = /^[+-]?\d*,\d+$/;

/** Read what was typed as a number. */
export function readNumber(text: string, kind: 'whole' | 'number' | 'decimal'): Reading {
  const digits = text.trim().replace('−', '-');
  if (digits === '') return { value: undefined };
  const value = numberOf(digits, kind);
  return value === undefined ? { value: undefined, text, wrong: whyNot(digits, kind) } : { value, text };
}

function numberOf(digits: string, kind: 'whole' | 'number' | 'decimal'): Json | undefined {
  if (kind === 'decimal') return NUMBER.test(digits) ? digits : undefined;
  if (WHOLE.test(digits) && !(kind === 'number' && /^-0+$/.test(digits))) return whole(digits.replace(/^\+/, ''));
  if (kind === 'whole' || !NUMBER.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) ? signed(value) : undefined;
}

function whyNot(digits: string, kind: 'whole' | 'number' | 'decimal'): string {
  if (kind === 'whole') return 'Must be a whole number';
  if (WITH_COMMA.test(digits)) return `Must be a number with a decimal point: ${digits.replace(',', '.')}`;
  if (kind === 'decimal') return 'Must be a number, such as 12.50';
  return NUMBER.test(digits) ? 'Is too large for a number' : 'Must be a number';
}

export function readDuration(text: string): Reading {
  if (text === '') return { value: undefined };
  return parseDuration(text) === undefined
    ? { value: undefined, text, wrong: 'Must be a duration, such as 90 minutes' }
    : { value: text };
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?(\[.*\])?$/i;
const MOMENTS = {
  date: [(text: string) => DATE.test(text), '2026-11-23'],
  time: [(text: string) => TIME.test(text), '14:30:00'],
  instant: [(text: string) => isNaive(text) || instantOf(text) !== undefined, '2026-11-23T09:00:00+00:00'],
} as const;

/** Read a date or a time as it is written in values. */
export function readMoment(text: string, kind: keyof typeof MOMENTS): Reading {
  if (text === '') return { value: undefined };
  const [isOne, example] = MOMENTS[kind];
  return isOne(text) ? { value: text } : { value: undefined, text, wrong: `Write it like ${example}` };
}

/** Read what was typed as JSON. */
export function readJson(text: string): Reading {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: parseJson(text), text };
  } catch (caught) {
    return {
      value: undefined,
      text,
      wrong: `This is not JSON yet: ${caught instanceof Error ? caught.message : ''}`,
    };
  }
}

/** Read a value that a field of this kind is given: one of another kind is shown as it is, and refused. */
export function readAs(shape: Shape, value: Json): Reading {
  switch (shape.kind) {
    case 'whole':
    case 'number':
      if (typeof value === 'number' || isBig(value)) return { value };
      return readNumber(typeof value === 'string' ? value : writeJson(value), shape.kind);
    case 'decimal':
      return readNumber(typeof value === 'string' ? value : writeJson(value), 'decimal');
    case 'duration':
      return readDuration(typeof value === 'string' ? value : writeJson(value));
    case 'date':
    case 'time':
    case 'instant':
      return readMoment(typeof value === 'string' ? value : writeJson(value), shape.kind);
    case 'text':
      return { value: typeof value === 'string' ? value : writeJson(value) };
    default:
      return { value };
  }
}

/** What a field shows. */
export function textOf({ text, value }: Reading): string {
  if (text !== undefined) return text;
  if (value === undefined || value === null) return '';
  if (isBig(value)) return value.rawJSON;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : writeJson(value, 2);
}
