/**
 * Numbers as people read them, in their own language: what stands before the decimal point is never rounded, for it may be an amount. Times
 * and spans are in `time.tsx`; what only values and tables need is in `digits.ts`.
 */
import type { Json } from '../api/json';
import { brief } from './brief';

/** Separators from five digits on: a year has four, and so have many numbers that are names. */
export const GROUPED = { useGrouping: 'min2' } as unknown as Intl.NumberFormatOptions;

const LARGE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, ...GROUPED });
const SMALL = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6, ...GROUPED });
const WHOLE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** From here on six digits would not hold a number to the hundredth. */
export const LARGE_FROM = 10_000;
/** Beyond this a double no longer tells neighbouring integers apart, and digits would be made up. */
const EXACT_TO = Number.MAX_SAFE_INTEGER;
/** Smaller than this, zeros would fill the line. */
const TINY = 1e-6;

export function numberWords(value: number): string {
  const size = Math.abs(value);
  if (size > EXACT_TO || (size > 0 && size < TINY)) return String(value);
  return (size >= LARGE_FROM || Number.isInteger(value) ? LARGE : SMALL).format(value);
}

/** Write a key figure: a number, or the beginning of a text, which is cut after `longest` characters. */
export function figureWords(value: Json, longest: number): string {
  return typeof value === 'number' && Number.isFinite(value) ? numberWords(value) : brief(value, longest);
}

/** How many there are of something. */
export function count(many: number): string {
  return WHOLE.format(many);
}

export function bytes(size: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let value = size;
  let at = 0;
  while (value >= 1_000 && at < units.length - 1) {
    value /= 1_000;
    at += 1;
  }
  return `${at === 0 ? WHOLE.format(value) : TENTHS.format(value)} ${units[at]}`;
}
