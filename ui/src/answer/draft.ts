/** What was typed and not sent: kept in this browser, for each request and person, until it is answered or they sign out. */
import { useEffect } from 'react';
import { parseJson, writeJson, type Json } from '../api/json';

const PREFIX = 'tidegate-draft:';
const LONGEST = 100_000;

export type Draft = { value?: Json; comment: string };

let owner = '';

/** Drafts are this person's from now on. */
export function ownDrafts(name: string): void {
  owner = name;
}

/** Drop every draft in this browser. */
export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}

const keyOf = (id: string) => `${PREFIX}${encodeURIComponent(owner)}:${id}`;

export function readDraft(id: string): Draft | undefined {
  try {
    const text = localStorage.getItem(keyOf(id));
    return text === null ? undefined : (parseJson(text) as Draft);
  } catch {
    return undefined;
  }
}

export function dropDraft(id: string): void {
  localStorage.removeItem(keyOf(id));
}

/** Keep a draft as it changes, once somebody has `touched` it. */
export function useKeptDraft(id: string, draft: { value: Json | undefined; comment: string }, touched: boolean): void {
  const text = writeJson({ comment: draft.comment, ...(draft.value === undefined ? {} : { value: draft.value }) });
  useEffect(() => {
    if (!touched || text.length > LONGEST) return;
    try {
      localStorage.setItem(keyOf(id), text);
    } catch {
      // The store of the browser is full: the draft lives as long as the page.
    }
  }, [id, text, touched]);
}
