/** A value as people read it, or as it is written: JSON, with every digit. */
import { Button, Code } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { isBig, writeJson, type Json } from '../api/json';
import { isBlob } from './blob';
import { Cut, part } from './whole';

/** Characters of JSON that are shown at first. */
const LONG = 100_000;

/** `children` is the value as people read it. */
export function Raw({ value, name, children }: { value: Json; name: string; children: ReactNode }) {
  const [isRaw, setRaw] = useState(false);
  if (isSame(value)) return children;
  return (
    <div className="raw">
      <Button
        className="raw-switch"
        size="compact-xs"
        variant={isRaw ? 'light' : 'default'}
        aria-pressed={isRaw}
        aria-label={`Show ${name} as JSON`}
        onClick={() => setRaw(!isRaw)}
      >
        JSON
      </Button>
      {isRaw ? <Written value={value} /> : children}
    </div>
  );
}

function Written({ value }: { value: Json }) {
  const [isWhole, setWhole] = useState(false);
  const text = writeJson(value, 2);
  const isLong = text.length > LONG && !isWhole;
  return (
    <>
      <Code block className="tree" tabIndex={0}>
        {isLong ? text.slice(0, LONG) : text}
      </Code>
      {isLong && <Cut parts={[part(LONG, text.length, 'characters')]} onAll={() => setWhole(true)} />}
    </>
  );
}

/** A longer list is a table, whose cells are shown whole when they have the focus. */
const LONG_LIST = 20;

/** Whether JSON would say nothing else than what is shown, or nothing that anybody reads. */
function isSame(value: Json): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (Array.isArray(value)) return value.length > LONG_LIST || value.every(isBlob);
  return isBlob(value) && !isBig(value);
}
