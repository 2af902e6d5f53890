/** How durations and instants are written, and read back: ISO 8601. */

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

/** Write a date and time as a field for local times takes it; empty if it is none. */
export function toLocal(text: unknown): string {
  const at = instantOf(text);
  if (at) return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  const [, day, clock] = MOMENT.exec(String(text)) ?? [];
  return day ? `${day}T${clock}`.slice(0, 19) : '';
}

export function fromLocal(text: string): string | undefined {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
