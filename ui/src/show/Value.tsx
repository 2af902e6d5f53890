/** A value, shown by what it is: a table, a text, an image, a file, or a tree. */
import { Loader, Table, Text } from '@mantine/core';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { isBig, isObject, type Json, type JsonObject } from '../api/json';
import { instantOf, parseDuration } from '../form/instants';
import { later } from '../app/later';
import { isBlob } from './blob';
import { brief } from './brief';
import { BytesValue } from './BytesValue';
import { FileValue } from './File';
import { Grid, type Cell } from './Grid';
import { Linked } from './Linked';
import { isImage } from './media';
import { written } from './digits';
import { Pictures } from './Pictures';
import { partOf, typeOf, type Typed } from './typed';
import { Cut, part, useCut, useEverything } from './whole';
import { exact, span } from './time';

export { brief };

const LocalTable = lazy(later(() => import('../grid/TableValue').then((module) => ({ default: module.LocalTable }))));

/** More than fits on a screen is a table to search and sort. */
const [FEW_ROWS, FEW_COLUMNS] = [20, 12];

const ROWS = 50;
const LONG = 2_000;
const DEEP = 2;
const COLUMNS = 40;
const FLOATS = ['nan', 'inf', '-inf'];

type Props = { value: Json; type?: Typed | undefined };

/** `type` is what the value was declared as, where that is known: JSON has no word for a duration. */
export function Value({ value, type }: Props) {
  if (value === null)
    return (
      <Text component="span" c="dimmed">
        nothing
      </Text>
    );
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'string') return <StringValue text={value} type={type} />;
  if (typeof value === 'number' || isBig(value)) return <Number value={value} />;
  if (Array.isArray(value)) return <ListValue items={value} type={type} />;
  if (isBlob(value)) return <FileValue value={value} tree={(found) => <Value value={found} />} />;
  if (isFloat(value)) return <span className="number">{value.$float}</span>;
  return <ObjectValue value={value} depth={0} type={type} />;
}

/** A number in the reader's language; what is copied, and shown on a hover, is the number itself. */
function Number({ value }: { value: Json }) {
  const { words, raw, isRounded } = written(value);
  return (
    <span
      className={`number${isRounded ? ' rounded' : ''}`}
      title={words === raw ? undefined : raw}
      onCopy={(event) => {
        if (window.getSelection()?.toString().trim() !== words) return;
        event.clipboardData.setData('text/plain', raw);
        event.preventDefault();
      }}
    >
      {words}
    </span>
  );
}

function StringValue({ text, type }: { text: string; type: Typed | undefined }) {
  const seconds = typeOf(type) === 'duration' ? parseDuration(text) : undefined;
  if (seconds !== undefined)
    return (
      <span title={text}>
        {seconds < 0 ? '−' : ''}
        {span(Math.abs(seconds) * 1_000)}
      </span>
    );
  const at = typeOf(type) === 'instant' ? instantOf(text) : undefined;
  if (at)
    return (
      <time dateTime={at.toISOString()} title={text}>
        {exact(at)}
      </time>
    );
  if (typeOf(type) === 'bytes') return <BytesValue text={text} />;
  return <TextValue text={text} />;
}

function TextValue({ text }: { text: string }) {
  const everything = useEverything();
  const [whole, setWhole] = useState(false);
  if (text === '')
    return (
      <Text component="span" c="dimmed">
        an empty text
      </Text>
    );
  const long = text.length > LONG && !whole && !everything;
  return (
    <div className="text">
      <Linked text={long ? `${text.slice(0, LONG)}…` : text} />
      {long && <Cut parts={[part(LONG, text.length, 'characters')]} onAll={() => setWhole(true)} />}
    </div>
  );
}

const imageName = (file: JsonObject, at: number): string => String(file.name ?? `Image ${at + 1}`);
const isFlat = (value: Json): boolean => typeof value !== 'object' || value === null || isBig(value);
const isNumber = (value: Json): boolean => typeof value === 'number' || isBig(value);
const isFloat = (value: Json): value is { $float: string } =>
  isObject(value) && Object.keys(value).length === 1 && FLOATS.includes(String(value.$float));
const isRow = (value: Json): value is JsonObject => isObject(value) && !isBlob(value) && !isFloat(value);
const isLine = (value: Json): value is Json[] =>
  Array.isArray(value) && value.length > 0 && value.length <= COLUMNS && value.every(isFlat);
const isShort = (value: Json): boolean => isFlat(value) && (typeof value !== 'string' || value.length <= 40);

function ListValue({ items, type }: { items: Json[]; type: Typed | undefined }) {
  const everything = useEverything();
  const [whole, setWhole] = useState(false);
  if (items.length === 0)
    return (
      <Text component="span" c="dimmed">
        an empty list
      </Text>
    );
  const all = whole || everything;
  const some = all ? items : items.slice(0, ROWS);
  const more = (
    <Cut
      parts={[part(some.length, items.length, items.every(isRow) ? 'rows' : 'items')]}
      onAll={() => setWhole(true)}
    />
  );
  if (items.every(isRow))
    return (
      <Rows
        items={items}
        some={some as JsonObject[]}
        most={all ? Infinity : COLUMNS}
        type={type}
        onAll={() => setWhole(true)}
      />
    );
  if (items.length > FEW_ROWS && items.every(isLine)) return <Lines lines={items as Json[][]} />;
  if (items.length > 1 && items.every(isLine))
    return (
      <>
        <Grid columns={undefined} rows={(some as Json[][]).map((line) => line.map((each) => cell(each)))} />
        {more}
      </>
    );
  if (items.every(isImage))
    return (
      <>
        <Pictures pictures={(some as JsonObject[]).map((file, at) => ({ name: imageName(file, at), file }))} />
        {more}
      </>
    );
  if (items.every(isNumber) || (items.every(isShort) && items.length <= 20))
    return (
      <>
        <span className="flat">
          {some.map((each, index) => (
            <span key={index} className="chip">
              <Value value={each} type={partOf(type, index)} />
            </span>
          ))}
        </span>
        {more}
      </>
    );
  return (
    <>
      <ol className="items">
        {some.map((each, index) => (
          <li key={index}>
            <Inner value={each} depth={1} type={partOf(type, index)} />
          </li>
        ))}
      </ol>
      {more}
    </>
  );
}

/** What stands in a cell of a table: in a column of texts an empty one says enough by being empty. */
function cell(value: Json | undefined, type?: Typed): Cell {
  if (value === undefined || value === '') return { shown: '', isNumber: false };
  return { shown: <Inner value={value} depth={1} type={type} />, isNumber: isNumber(value) };
}

type RowsProps = { items: JsonObject[]; some: JsonObject[]; most: number; type: Typed | undefined; onAll: () => void };

const isCell = (value: Json): boolean => isFlat(value) || isFloat(value);
const inCell = (value: Json | undefined): Json =>
  value === undefined ? null : isFloat(value) ? (SPELLED[value.$float] ?? value.$float) : value;
const SPELLED: Record<string, string> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' };

function Many({ names, rows }: { names: readonly string[]; rows: readonly (readonly Json[])[] }) {
  return (
    <Suspense fallback={<Loader size="sm" aria-label="Loading the table" />}>
      <LocalTable names={names} rows={rows} />
    </Suspense>
  );
}

/** Lines of a list of lists, whose columns have numbers for names. */
function Lines({ lines }: { lines: readonly (readonly Json[])[] }) {
  const wide = Math.max(...lines.map((each) => each.length));
  const names = useMemo(() => Array.from({ length: wide }, (_, at) => String(at + 1)), [wide]);
  return <Many names={names} rows={lines} />;
}

/** Rows as a table. Columns that only rows have which are not shown are counted too. */
function Rows({ items, some, most, type, onAll }: RowsProps) {
  const names = useMemo(() => [...new Set(items.flatMap((each) => Object.keys(each)))], [items]);
  const plain = useMemo(
    () =>
      (items.length > FEW_ROWS || names.length > FEW_COLUMNS) &&
      items.every((each) => Object.values(each).every(isCell))
        ? items.map((each) => names.map((name) => inCell(each[name])))
        : undefined,
    [items, names],
  );
  if (plain) return <Many names={names} rows={plain} />;
  const columns = names.slice(0, most);
  const types = columns.map((each) => partOf(partOf(type, 0), each));
  return (
    <>
      <Grid columns={columns} rows={some.map((row) => columns.map((each, index) => cell(row[each], types[index])))} />
      <Cut
        parts={[part(some.length, items.length, 'rows'), part(columns.length, names.length, 'columns')]}
        onAll={onAll}
      />
    </>
  );
}

function ObjectValue({ value, depth, type }: { value: JsonObject; depth: number; type: Typed | undefined }) {
  const entries = Object.entries(value);
  if (entries.length === 0)
    return (
      <Text component="span" c="dimmed">
        an empty object
      </Text>
    );
  if (entries.length > 1 && entries.every(([, each]) => isImage(each)))
    return <Pictures pictures={entries.map(([name, file]) => ({ name, file: file as JsonObject }))} />;
  return (
    <Table className="pairs" fz="sm" withRowBorders={depth === 0}>
      <Table.Tbody>
        {entries.map(([name, each]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td>
              <Inner value={each} depth={depth + 1} type={partOf(type, name)} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** What stands inside another value: folded, once it is deep. */
function Inner({ value, depth, type }: Props & { depth: number }) {
  if (isRow(value)) {
    const many = Object.keys(value).length;
    if (depth < DEEP || many === 0) return <ObjectValue value={value} depth={depth} type={type} />;
    return <Folded value={value} type={type} summary={`${many} field${many === 1 ? '' : 's'}`} />;
  }
  if (Array.isArray(value) && value.length > 0 && depth >= DEEP && !(value.length <= 8 && value.every(isShort))) {
    return <Folded value={value} type={type} summary={`${value.length} item${value.length === 1 ? '' : 's'}`} />;
  }
  return <Value value={value} type={type} />;
}

/** A branch of a tree: what is in it is drawn once it is opened. */
function Folded({ value, type, summary }: Props & { summary: string }) {
  const everything = useEverything();
  const [opened, setOpened] = useState(everything);
  useEffect(() => {
    if (everything) setOpened(true);
  }, [everything]);
  useCut(!opened);
  return (
    <details open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {opened && (
        <div className="branch">
          <Value value={value} type={type} />
        </div>
      )}
    </details>
  );
}
