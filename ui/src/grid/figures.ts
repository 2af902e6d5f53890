/** Cells as the reader writes them: numbers with separators and six significant digits; the whole is a hover or a press away. */
import { isBig, type Json } from '../api/json';
import { bigWords } from '../show/digits';
import { count } from '../show/numbers';
import { isNumeric, type Kind } from './model';

const SHORT = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const CENTS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, minimumFractionDigits: 2 });

/** A number. Money keeps its cents whatever its size: digits that are rounded away there are what an approval is about. */
export function number(value: Json, isMoney = false): string {
  if (isBig(value)) return bigWords(value.rawJSON);
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return isMoney ? CENTS.format(value) : count(value);
  return isMoney && Math.abs(value) < 1e13 ? CENTS.format(value) : SHORT.format(value);
}

export function cell(value: Json, kind: Kind, isMoney: boolean): string {
  if (value === null) return 'missing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (isNumeric(kind)) return number(value, isMoney);
  if (kind === 'instant' && typeof value === 'string') return value.replace('T', ' ');
  return isBig(value) ? value.rawJSON : String(value);
}

/** The whole of a cell, as it is written. */
export function full(value: Json): string {
  return isBig(value) ? value.rawJSON : value === null ? '' : String(value);
}

/** Whether the numbers of a column have two decimals at most: amounts. */
export function isMoney(kind: Kind, values: readonly Json[]): boolean {
  if (kind !== 'number') return false;
  const found = values.filter((each) => typeof each === 'number');
  return found.length > 0 && found.every((each) => Math.abs(Math.round(each * 100) - each * 100) < 1e-6);
}
