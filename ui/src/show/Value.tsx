/** A value, shown by what it is: a table, a text, an image, a file, or a tree. */
import { Anchor, Button, Code, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { isBig, isObject, writeJson, type Json, type JsonObject } from '../api/json';
import { BlobValue } from './BlobValue';

const ROWS = 50;
const LONG = 2_000;
const DEEP = 2;

export function Value({ value }: { value: Json }) {
  if (value === null) return <Text component="span" c="dimmed">nothing</Text>;
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'string') return <TextValue text={value} />;
  if (typeof value === 'number' || isBig(value)) return <span className="number">{isBig(value) ? value.rawJSON : String(value)}</span>;
  if (Array.isArray(value)) return <ListValue items={value} />;
  if (typeof value.$blob === 'string' || typeof value.$uri === 'string') return <BlobValue value={value} />;
  if (typeof value.$float === 'string') return <span className="number">{value.$float}</span>;
  return <ObjectValue value={value} depth={0} />;
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
const isRow = (value: Json): value is JsonObject => isObject(value) && !('$blob' in value) && !('$uri' in value) && !('$float' in value);

function ListValue({ items }: { items: Json[] }) {
  const [shown, setShown] = useState(ROWS);
  if (items.length === 0) return <Text component="span" c="dimmed">an empty list</Text>;
  const more = items.length > shown && <Button mt="xs" size="compact-sm" variant="default" onClick={() => setShown(shown + 10 * ROWS)}>Show more of {items.length.toLocaleString()}</Button>;
  if (items.every(isRow)) return <>{rows(items.slice(0, shown))}{more}</>;
  if (items.every(isFlat) && items.length <= 20) return <span className="flat">{items.map((each, index) => <span key={index} className="chip"><Value value={each} /></span>)}</span>;
  return (
    <>
      <ol className="items" start={0}>{items.slice(0, shown).map((each, index) => <li key={index}><Value value={each} /></li>)}</ol>
      {more}
    </>
  );
}

function rows(items: JsonObject[]) {
  const columns = [...new Set(items.flatMap((each) => Object.keys(each)))].slice(0, 40);
  return (
    <Table.ScrollContainer minWidth={Math.min(columns.length * 100, 900)} maxHeight={420} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: 'region', 'aria-label': 'Table' } }}>
      <Table striped stickyHeader fz="sm">
        <Table.Thead><Table.Tr>{columns.map((each) => <Table.Th key={each}>{each}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {items.map((row, index) => (
            <Table.Tr key={index}>{columns.map((each) => <Table.Td key={each}>{row[each] === undefined ? '' : <Inner value={row[each]} depth={1} />}</Table.Td>)}</Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function ObjectValue({ value, depth }: { value: JsonObject; depth: number }) {
  const entries = Object.entries(value);
  if (entries.length === 0) return <Text component="span" c="dimmed">an empty object</Text>;
  return (
    <Table className="pairs" fz="sm" withRowBorders={depth === 0}>
      <Table.Tbody>
        {entries.map(([name, each]) => <Table.Tr key={name}><Table.Th scope="row">{name}</Table.Th><Table.Td><Inner value={each} depth={depth + 1} /></Table.Td></Table.Tr>)}
      </Table.Tbody>
    </Table>
  );
}

/** What stands inside another value: folded, once it is deep. */
function Inner({ value, depth }: { value: Json; depth: number }) {
  if (!isRow(value)) {
    if (Array.isArray(value) && value.length > 0 && depth >= DEEP) return <Folded value={value} summary={`${value.length} items`} />;
    return <Value value={value} />;
  }
  if (depth < DEEP) return <ObjectValue value={value} depth={depth} />;
  return <Folded value={value} summary={`${Object.keys(value).length} fields`} />;
}

function Folded({ value, summary }: { value: Json; summary: string }) {
  return <details><summary>{summary}</summary><Code block className="tree">{writeJson(value, 2)}</Code></details>;
}

/** A value in one line, for lists. */
export function brief(value: Json, longest = 80): string {
  const text = typeof value === 'string' ? value : value === null ? 'nothing' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : writeJson(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
