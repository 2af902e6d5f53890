/** What was typed and not sent: kept in this browser, for each question and person, until it is decided, discarded, or they sign out. */
import { useEffect, useState } from 'react';
import { isObject, parseJson, writeJson, type Json } from '../api/json';

const PREFIX = 'tidegate-draft:';

/** A browser keeps some 5 MB of text for a site, and an answer has at most 1 MiB. */
const LONGEST = 1_200_000;

/** Drafts older than this are of questions that nobody has come back to. */
const MOST_DAYS = 60;
const DAY_MS = 86_400_000;

/** `at` is when it was last changed, in milliseconds. */
export type Draft = { value?: Json; comment: string; at: number };

let owner = '';

/** Drafts are this person's from now on. */
export function ownDrafts(name: string): void {
  owner = name;
  dropOld();
}

/** Drop every draft in this browser. */
export function forgetDrafts(): void {
  for (const key of allKeys()) localStorage.removeItem(key);
}

/** Drop what anyone has typed about questions that are decided. */
export function dropDrafts(ids: readonly string[]): void {
  const gone = new Set(ids);
  if (gone.size === 0) return;
  for (const key of allKeys()) if (gone.has(idIn(key))) localStorage.removeItem(key);
}

export function dropDraft(id: string): void {
  dropDrafts([id]);
}

export function readDraft(id: string): Draft | undefined {
  return read(keyOf(id));
}

/** When what is kept was kept last; `failed` where the browser has no room for it. */
export type Kept = { at: number } | 'failed' | undefined;

/** Keep a draft as it changes, once somebody has `touched` it and as long as it can be sent. */
export function useKeptDraft(id: string, draft: { value: Json | undefined; comment: string }, touched: boolean): Kept {
  const [kept, setKept] = useState<Kept>(() => (touched ? readDraft(id) : undefined));
  const { value, comment } = draft;
  useEffect(() => {
    if (!touched) return;
    const at = Date.now();
    if (comment === '' && value === undefined) {
      localStorage.removeItem(keyOf(id));
      setKept(undefined);
      return;
    }
    const text = writeJson({ comment, at, ...(value === undefined ? {} : { value }) });
    try {
      if (text.length > LONGEST) throw new Error('too long');
      localStorage.setItem(keyOf(id), text);
      setKept({ at });
    } catch {
      setKept('failed');
    }
  }, [id, value, comment, touched]);
  return kept;
}

const keyOf = (id: string) => `${PREFIX}${encodeURIComponent(owner)}:${id}`;
const idIn = (key: string) => key.slice(key.indexOf(':', PREFIX.length) + 1);
const allKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));

function read(key: string): Draft | undefined {
  try {
    const found = parseJson(localStorage.getItem(key) ?? 'null') as Json;
    if (!isObject(found) || typeof found.comment !== 'string') return undefined;
    const at = typeof found.at === 'number' ? found.at : 0;
    return { comment: found.comment, at, ...(found.value === undefined ? {} : { value: found.value }) };
  } catch {
    return undefined;
  }
}

function dropOld(): void {
  const oldest = Date.now() - MOST_DAYS * DAY_MS;
  for (const key of allKeys()) {
    const draft = read(key);
    if (draft === undefined || draft.at < oldest) localStorage.removeItem(key);
  }
}
