/** Numbers as people read them, in their own language: what stands before the decimal point is never rounded, for it may be an amount. */
import type { Json } from '../api/json';
import { brief } from './brief';

/** Separators from five digits on: a year has four, and so have many numbers that are names. */
const GROUPED = { useGrouping: 'min2' } as unknown as Intl.NumberFormatOptions;

const LARGE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, ...GROUPED });
const SMALL = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6, ...GROUPED });

/** From here on six digits would not hold a number to the hundredth. */
const LARGE_FROM = 10_000;

export function numberWords(value: number): string {
  return (Math.abs(value) >= LARGE_FROM || Number.isInteger(value) ? LARGE : SMALL).format(value);
}

/** Write a key figure: a number, or the beginning of a text, which is cut after `longest` characters. */
export function figureWords(value: Json, longest: number): string {
  return typeof value === 'number' && Number.isFinite(value) ? numberWords(value) : brief(value, longest);
}
