/** Reading the beginning of a table out of a file: comma- or tab-separated text, Parquet, and numpy's arrays. */
import type { Json } from '../api/json';

/** `total` counts all rows of the file, `wide` all columns. `columns` is undefined where they have no names. */
export type Read = { columns: string[] | undefined; rows: Json[][]; total: number; wide: number };

/** How much is read. */
export type Most = { rows: number; columns: number };
export const SOME: Most = { rows: 200, columns: 40 };
export const ALL: Most = { rows: Infinity, columns: Infinity };

export type TableKind = 'csv' | 'tsv' | 'parquet' | 'npy';

export async function readTable(kind: TableKind, blob: Blob, most: Most): Promise<Read> {
  switch (kind) {
    case 'csv':
      return readText(await blob.text(), ',', most);
    case 'tsv':
      return readText(await blob.text(), '\t', most);
    case 'parquet':
      return readParquet(await blob.arrayBuffer(), most);
    case 'npy':
      return readArray(await blob.arrayBuffer(), most);
  }
}

/** RFC 4180: fields may be quoted, and a quoted one may hold what separates them. */
function readText(text: string, separator: string, most: Most): Read {
  const lines: string[][] = [];
  let line: string[] = [];
  const field = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|$)`, 'y');
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (!found) throw new Error('a quote is not closed');
    line.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] !== separator) {
      lines.push(line);
      line = [];
    }
  }
  const [columns = [], ...rows] = lines;
  // A row may have more fields than there are names.
  const wide = rows.reduce((found, row) => Math.max(found, row.length), columns.length);
  const names = [...columns, ...Array.from({ length: wide - columns.length }, () => '')];
  return {
    columns: names.slice(0, most.columns),
    rows: rows.slice(0, most.rows).map((row) => row.slice(0, most.columns)),
    total: rows.length,
    wide,
  };
}

async function readParquet(file: ArrayBuffer, most: Most): Promise<Read> {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const metadata = parquetMetadata(file);
  const all = parquetSchema(metadata).children.map((each) => each.element.name);
  const columns = all.slice(0, most.columns);
  const total = Number(metadata.num_rows);
  const objects = await parquetReadObjects({
    file,
    metadata,
    columns,
    rowStart: 0,
    rowEnd: Math.min(total, most.rows),
  });
  return { columns, rows: objects.map((each) => columns.map((name) => plain(each[name]))), total, wide: all.length };
}

function plain(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
  return value as Json;
}

type Reader = (view: DataView, at: number, little: boolean) => Json;

const READERS: Record<string, [size: number, read: Reader]> = {
  b1: [1, (view, at) => view.getUint8(at) !== 0],
  i1: [1, (view, at) => view.getInt8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i8: [8, (view, at, little) => plain(view.getBigInt64(at, little))],
  u8: [8, (view, at, little) => plain(view.getBigUint64(at, little))],
  f4: [4, (view, at, little) => plain(Number(view.getFloat32(at, little).toPrecision(7)))],
  f8: [8, (view, at, little) => plain(view.getFloat64(at, little))],
};

/** An array of up to two dimensions, in numpy's format: a header in Python's own words, and the numbers. */
function readArray(file: ArrayBuffer, most: Most): Read {
  const view = new DataView(file);
  const isLong = view.getUint8(6) > 1;
  const begin = isLong ? 12 : 10;
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(new Uint8Array(file, begin, length));
  const [, order = '', kind = ''] = /'descr': '([<>|=])(\w+)'/.exec(header) ?? [];
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
    .map(Number);
  const reader = READERS[kind];
  if (!reader || shape.length > 2) throw new Error('not an array of numbers of one or two dimensions');
  const [size, read] = reader;
  const [many = 1, wide = 1] = shape;
  const step = header.includes("'fortran_order': True") ? { row: 1, column: many } : { row: wide, column: 1 };
  const at = (row: number, column: number) =>
    read(view, begin + length + size * (row * step.row + column * step.column), order !== '>');
  const rows = Array.from({ length: Math.min(many, most.rows) }, (_, row) =>
    Array.from({ length: Math.min(wide, most.columns) }, (__, column) => at(row, column)),
  );
  return { columns: undefined, rows, total: many, wide };
}
