/** How durations and instants are written, and read back: ISO 8601. */
import type { Json } from '../api/json';

export const UNITS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400, weeks: 604_800 } as const;
export type Unit = keyof typeof UNITS;

const DURATION = /^([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d{1,6})?)S)?)?$/;

/** Return the seconds of a duration; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const found = DURATION.exec(text);
  if (!found || !/\d/.test(text)) return undefined;
  const [, sign, weeks, days, hours, minutes, seconds] = found;
  const sum =
    Number(weeks ?? 0) * UNITS.weeks +
    Number(days ?? 0) * UNITS.days +
    Number(hours ?? 0) * UNITS.hours +
    Number(minutes ?? 0) * UNITS.minutes +
    Number((seconds ?? '0').replace(',', '.'));
  return sign === '-' ? -sum : sum;
}

export function writeDuration(many: number, unit: Unit): string {
  const sign = many < 0 ? '-' : '';
  const amount = Math.abs(many);
  if (Number.isInteger(amount)) {
    if (unit === 'weeks') return `${sign}P${amount * 7}D`;
    if (unit === 'days') return `${sign}P${amount}D`;
    return `${sign}PT${amount}${unit[0]?.toUpperCase()}`;
  }
  const seconds = (amount * UNITS[unit]).toFixed(6).replace(/\.?0+$/, '');
  return `${sign}PT${seconds}S`;
}

/** The largest unit in which a number of seconds is whole. */
export function unitOf(seconds: number | undefined): Unit {
  if (!seconds) return 'minutes';
  return (['days', 'hours', 'minutes'] as const).find((unit) => seconds % UNITS[unit] === 0) ?? 'seconds';
}

const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?(\[.*\])?$/i;

/** Return the instant of a date and time; undefined if it says neither an offset nor a zone, or is none. A zone stands behind it in brackets. */
export function instantOf(text: unknown): Date | undefined {
  const [, day, clock, offset] = MOMENT.exec(String(text)) ?? [];
  const at = day && offset ? new Date(`${day}T${clock}${offset}`) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at : undefined;
}

/** Say whether a date and time has neither an offset nor a zone: it stays as it is, wherever it is read. */
export function isNaive(text: unknown): boolean {
  const found = MOMENT.exec(String(text));
  return found !== null && !found[3] && !/^\[[^_]/.test(found[4] ?? '');
}

const DAY_MS = 86_400_000;
/** Where the date field of a browser ends. */
const YEARS = [1, 9_999] as const;

/** A local date and time as a field shows it, and the part of a second that the field does not show. */
export type Local = { text: string; fraction: string };

/** Write a date and time as a field for local times shows it; undefined if it cannot: it is none, or its year here is none of four digits. */
export function localOf(text: unknown): Local | undefined {
  const fraction = /\d\d:\d\d:\d\d(\.\d+)/.exec(String(text))?.[1] ?? '';
  const at = instantOf(text);
  if (at) {
    const year = at.getFullYear();
    return year < YEARS[0] || year > YEARS[1] ? undefined : { text: localText(at), fraction };
  }
  if (!isNaive(text)) return undefined;
  const [, day, clock] = MOMENT.exec(String(text)) ?? [];
  return day && clock ? { text: `${day}T${clock}`.slice(0, 19), fraction } : undefined;
}

const two = (many: number, width = 2): string => String(many).padStart(width, '0');

/** By its parts: long ago, offsets had seconds. */
function localText(at: Date): string {
  const day = [two(at.getFullYear(), 4), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day}T${[at.getHours(), at.getMinutes(), at.getSeconds()].map((each) => two(each)).join(':')}`;
}

const utcOf = (text: string): number => Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
const offsetAt = (instant: number): number => utcOf(localText(new Date(instant))) - instant;

/** The instants that a local time may mean: two where clocks are put back, none where they are put forward. */
export function instantsOf(local: string): Date[] {
  const guess = utcOf(local);
  if (Number.isNaN(guess)) return [];
  const offsets = new Set([offsetAt(guess - DAY_MS), offsetAt(guess + DAY_MS)]);
  return [...offsets]
    .map((offset) => guess - offset)
    .filter((instant) => instant + offsetAt(instant) === guess)
    .sort((one, other) => one - other)
    .map((instant) => new Date(instant));
}

/**
 * Return the instant that a local time means, as text; undefined if it is none. Where it means two, it is the one with the offset of `before`, else the
 * first. A time that does not exist is later by what the clocks were put forward.
 */
export function fromLocal(local: string, before?: Json, fraction = ''): string | undefined {
  const found = instantsOf(local);
  const was = instantOf(before);
  const alike = was && found.find((each) => offsetAt(each.getTime()) === offsetAt(was.getTime()));
  const at = alike ?? found[0] ?? new Date(local);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString().replace('.000Z', `${fraction}Z`);
}

/** Write the offset of an instant here: `UTC+01:00`. */
export function offsetText(at: Date): string {
  const minutes = Math.round(offsetAt(at.getTime()) / 60_000);
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
