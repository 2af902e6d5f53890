/** Numbers of values and tables: with all digits beside the words, of any size, or where there is little room. */
import { isBig, type Json } from '../api/json';
import { GROUPED, LARGE_FROM, numberWords } from './numbers';

const SHORT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 });

/** An integer of any size. */
export function bigWords(raw: string): string {
  return /^-?\d+$/.test(raw) ? new Intl.NumberFormat(undefined, GROUPED).format(BigInt(raw)) : raw;
}

/** A number, and whether digits of it are left out. */
export function written(value: Json): { words: string; raw: string; isRounded: boolean } {
  if (isBig(value)) return { words: bigWords(value.rawJSON), raw: value.rawJSON, isRounded: false };
  const number = Number(value);
  const raw = Object.is(number, -0) ? '-0' : String(number);
  const words = numberWords(number);
  const kept = Number(
    new Intl.NumberFormat('en', {
      useGrouping: false,
      ...(Math.abs(number) >= LARGE_FROM ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 6 }),
    }).format(number),
  );
  return { words, raw, isRounded: words !== raw && !Number.isInteger(number) && kept !== number };
}

/** A number where there is little room: `1.23K`. */
export function short(value: number): string {
  return SHORT.format(value);
}
