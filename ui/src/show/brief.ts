import { writeJson, type Json } from '../api/json';

/** A value in one line, for lists. */
export function brief(value: Json, longest = 80): string {
  const text =
    typeof value === 'string'
      ? value
      : value === null
        ? 'nothing'
        : typeof value === 'boolean'
          ? value
            ? 'yes'
            : 'no'
          : writeJson(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

export function bytes(size: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let value = size;
  let at = 0;
  while (value >= 1_000 && at < units.length - 1) {
    value /= 1_000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
