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
  if ((kind === 'date' || kind === 'instant') && typeof value === 'string') return moment(value);
  return isBig(value) ? value.rawJSON : String(value);
}

const DAY = { year: 'numeric', month: 'short', day: 'numeric' } as const;
const MINUTE = { hour: '2-digit', minute: '2-digit' } as const;
const SECOND = { ...MINUTE, second: '2-digit' } as const;
/** What has no offset stays in its own time, wherever it is read. */
const NAIVE = { ...DAY, timeZone: 'UTC' } as const;
const INSTANT = { ...DAY, timeZoneName: 'short' } as const;
const DATE = new Intl.DateTimeFormat(undefined, NAIVE);
const NAIVE_MINUTE = new Intl.DateTimeFormat(undefined, { ...NAIVE, ...MINUTE });
const NAIVE_SECOND = new Intl.DateTimeFormat(undefined, { ...NAIVE, ...SECOND });
const INSTANT_MINUTE = new Intl.DateTimeFormat(undefined, { ...INSTANT, ...MINUTE });
const INSTANT_SECOND = new Intl.DateTimeFormat(undefined, { ...INSTANT, ...SECOND });
const WRITTEN = /^\d{4}-\d\d-\d\d(?:[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?)?$/;

/** A date, or a date and time: an instant in the zone of the reader. What is written in another way stays as it is. */
function moment(text: string): string {
  const found = WRITTEN.exec(text);
  const [, clock, offset] = found ?? [];
  const at = new Date(clock && !offset ? `${text}Z` : text);
  if (!found || Number.isNaN(at.getTime())) return text.replace('T', ' ');
  // A day that is stored as its first moment.
  if (!clock || (!offset && clock === '00:00:00')) return DATE.format(at);
  const isWhole = clock.endsWith(':00');
  if (offset) return (isWhole ? INSTANT_MINUTE : INSTANT_SECOND).format(at);
  return (isWhole ? NAIVE_MINUTE : NAIVE_SECOND).format(at);
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
