/** A value, shown by what it is: a table, a text, an image, a file, or a tree. */
import { Anchor, Button, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { isBig, isObject, type Json, type JsonObject } from '../api/json';
import { instantOf, parseDuration } from '../form/instants';
import { BlobValue, BytesValue, isImage } from './BlobValue';
import { Gallery } from './Gallery';
import { Grid, type Cell } from './Grid';
import { brief } from './brief';
import { partOf, typeOf, type Typed } from './typed';
import { exact, span } from './time';

export { brief };

const ROWS = 50;
const LONG = 2_000;
const DEEP = 2;
const COLUMNS = 40;

type Props = { value: Json; type?: Typed | undefined };

/** `type` is what the value was declared as, where that is known: JSON has no word for a duration. */
export function Value({ value, type }: Props) {
  if (value === null) return <Text component="span" c="dimmed">nothing</Text>;
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'string') return <StringValue text={value} type={type} />;
  if (typeof value === 'number' || isBig(value)) return <span className="number">{isBig(value) ? value.rawJSON : String(value)}</span>;
  if (Array.isArray(value)) return <ListValue items={value} type={type} />;
  if (typeof value.$blob === 'string' || typeof value.$uri === 'string') return <BlobValue value={value} />;
  if (typeof value.$float === 'string') return <span className="number">{value.$float}</span>;
  return <ObjectValue value={value} depth={0} type={type} />;
}

function StringValue({ text, type }: { text: string; type: Typed | undefined }) {
  const seconds = typeOf(type) === 'duration' ? parseDuration(text) : undefined;
  if (seconds !== undefined) return <span title={text}>{seconds < 0 ? '−' : ''}{span(Math.abs(seconds) * 1_000)}</span>;
  const at = typeOf(type) === 'instant' ? instantOf(text) : undefined;
  if (at) return <time dateTime={at.toISOString()} title={text}>{exact(at)}</time>;
  if (typeOf(type) === 'bytes') return <BytesValue text={text} />;
  return <TextValue text={text} />;
}

function TextValue({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  if (text === '') return <Text component="span" c="dimmed">an empty text</Text>;
  const long = text.length > LONG && !whole;
  return (
    <div className="text">
      {long ? `${text.slice(0, LONG)}…` : text}
      {long && <div><Anchor component="button" type="button" size="sm" onClick={() => setWhole(true)}>Show all {text.length.toLocaleString()} characters</Anchor></div>}
    </div>
  );
}

const isFlat = (value: Json): boolean => typeof value !== 'object' || value === null || isBig(value);
const isNumber = (value: Json): boolean => typeof value === 'number' || isBig(value);
const isRow = (value: Json): value is JsonObject => isObject(value) && !('$blob' in value) && !('$uri' in value) && !('$float' in value);
const isLine = (value: Json): value is Json[] => Array.isArray(value) && value.length > 0 && value.length <= COLUMNS && value.every(isFlat);
const isShort = (value: Json): boolean => isFlat(value) && (typeof value !== 'string' || value.length <= 40);

function ListValue({ items, type }: { items: Json[]; type: Typed | undefined }) {
  const [shown, setShown] = useState(ROWS);
  if (items.length === 0) return <Text component="span" c="dimmed">an empty list</Text>;
  const some = items.slice(0, shown);
  const more = items.length > shown && <Button mt="xs" size="compact-sm" variant="default" onClick={() => setShown(shown + 10 * ROWS)}>Show more of {items.length.toLocaleString()}</Button>;
  if (items.every(isRow)) return <>{rows(some as JsonObject[], type)}{more}</>;
  if (items.length > 1 && items.every(isLine)) return <><Grid columns={undefined} rows={(some as Json[][]).map((line) => line.map((each) => cell(each)))} />{more}</>;
  if (items.every(isImage)) return <><Gallery images={some as JsonObject[]} />{more}</>;
  if (items.every(isNumber) || (items.every(isShort) && items.length <= 20)) return <><span className="flat">{some.map((each, index) => <span key={index} className="chip"><Value value={each} type={partOf(type, index)} /></span>)}</span>{more && <div>{more}</div>}</>;
  return (
    <>
      <ol className="items">{some.map((each, index) => <li key={index}><Inner value={each} depth={1} type={partOf(type, index)} /></li>)}</ol>
      {more}
    </>
  );
}

/** What stands in a cell of a table: in a column of texts an empty one says enough by being empty. */
function cell(value: Json | undefined, type?: Typed): Cell {
  if (value === undefined || value === '') return { shown: '', isNumber: false };
  return { shown: <Inner value={value} depth={1} type={type} />, isNumber: isNumber(value) };
}

function rows(items: JsonObject[], type: Typed | undefined) {
  const columns = [...new Set(items.flatMap((each) => Object.keys(each)))].slice(0, COLUMNS);
  const types = columns.map((each) => partOf(partOf(type, 0), each));
  return <Grid columns={columns} rows={items.map((row) => columns.map((each, index) => cell(row[each], types[index])))} />;
}

function ObjectValue({ value, depth, type }: { value: JsonObject; depth: number; type: Typed | undefined }) {
  const entries = Object.entries(value);
  if (entries.length === 0) return <Text component="span" c="dimmed">an empty object</Text>;
  return (
    <Table className="pairs" fz="sm" withRowBorders={depth === 0}>
      <Table.Tbody>
        {entries.map(([name, each]) => <Table.Tr key={name}><Table.Th scope="row">{name}</Table.Th><Table.Td><Inner value={each} depth={depth + 1} type={partOf(type, name)} /></Table.Td></Table.Tr>)}
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
  const [opened, setOpened] = useState(false);
  return (
    <details onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {opened && <div className="branch"><Value value={value} type={type} /></div>}
    </details>
  );
}
