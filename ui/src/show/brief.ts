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
