/** JSON as it travels. A whole number that JavaScript cannot hold exactly stays the text it was written as. */
export type Json = null | boolean | number | string | BigWhole | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** A whole number beyond 2^53, or -0.0: `rawJSON` is how it is written. Made and recognised by the browser only. */
export interface BigWhole {
  readonly rawJSON: string;
}

type RawJson = {
  rawJSON?: (text: string) => BigWhole;
  isRawJSON?: (value: unknown) => boolean;
};
type Reviver = (this: unknown, key: string, value: Json, source?: { source?: string }) => Json;

const raw = JSON as unknown as RawJson;
const WHOLE = /^-?\d+$/;

export function isBig(value: unknown): value is BigWhole {
  return raw.isRawJSON?.(value) ?? false;
}

/** Return the number that these digits write, exactly. */
export function whole(digits: string): number | BigWhole {
  const value = Number(digits);
  if (Number.isSafeInteger(value) || raw.rawJSON === undefined) return value;
  return raw.rawJSON(digits.replace(/^(-?)0+(?=\d)/, '$1').replace(/^\+/, ''));
}

/** Return a number as it is written: JavaScript writes -0 as 0, and an answer would not be the one that was typed. */
export function signed(value: number): number | BigWhole {
  return Object.is(value, -0) && raw.rawJSON !== undefined ? raw.rawJSON('-0.0') : value;
}

const keepDigits: Reviver = (_key, value, source) =>
  Object.is(value, -0) && !WHOLE.test(source?.source ?? '')
    ? signed(-0)
    : typeof value === 'number' && !Number.isSafeInteger(value) && WHOLE.test(source?.source ?? '')
      ? whole(source?.source ?? '')
      : value;

/** Where a number begins that JavaScript does not hold, or a negative zero; within a text it does no harm. */
const DELICATE = /(?:^|[:[,\s])(?:-?\d{16}|-0(?:\.0+)?(?:[eE][+-]?\d+)?(?:[\s,\]}]|$))/;

/** Whether some number of a text must be looked at. */
export function isDelicate(text: string): boolean {
  return DELICATE.test(text);
}

/** Read JSON. To look at each value takes several times as long as to read it, so that is done only where there may be a reason. */
export function parseJson(text: string): Json {
  const keeps = isDelicate(text) ? (keepDigits as (key: string, value: Json) => Json) : undefined;
  return JSON.parse(text, keeps) as Json;
}

export function writeJson(value: Json | undefined, indent = 0): string {
  return JSON.stringify(value, undefined, indent) ?? '';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBig(value);
}
