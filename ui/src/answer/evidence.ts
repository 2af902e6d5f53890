/** What stands beside a decision, by how much room it takes. */
import { isBig, isObject, type Json } from '../api/json';
import { isBlob } from '../show/blob';
import { isTall } from '../show/tall';

/** More columns than a narrow dialog has room for. */
const NARROW_COLUMNS = 4;

/** Whether a value wants the whole width: a table, a file, a long text. */
export function needsRoom(value: Json | undefined): boolean {
  if (value === undefined) return false;
  return isTall(value) || hasBlob(value) || columns(value) > NARROW_COLUMNS;
}

function hasBlob(value: Json): boolean {
  if (isBlob(value)) return true;
  if (Array.isArray(value)) return value.some(hasBlob);
  return isObject(value) && Object.values(value).some(hasBlob);
}

function columns(value: Json): number {
  if (!Array.isArray(value)) return 0;
  const first = value[0];
  if (Array.isArray(first)) return first.length;
  return isObject(first) && !isBig(first) ? Object.keys(first).length : 0;
}

/** How large a value is, in a word or two: `5,000 × 60`, `18 fields`; empty for what is one thing. */
export function extent(value: Json | undefined): string {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isBlob))
      return `${value.length.toLocaleString()} file${value.length === 1 ? '' : 's'}`;
    const many = columns(value);
    const rows = value.length.toLocaleString();
    return many > 0 ? `${rows} × ${many.toLocaleString()}` : `${rows} item${value.length === 1 ? '' : 's'}`;
  }
  if (!isObject(value) || isBlob(value)) return '';
  const many = Object.keys(value).length;
  return `${many.toLocaleString()} field${many === 1 ? '' : 's'}`;
}
