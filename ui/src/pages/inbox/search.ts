/** What the address says of the inbox: which section, filters and order. */
import type { InboxFilter } from '../../api/queries';
import { isGrouped, zoneOf } from './groups';

export type InboxSearch = {
  all?: boolean;
  workflow?: string;
  kind?: string;
  due?: string;
  project?: string;
  sort?: string;
  q?: string;
};

const NAMES = ['workflow', 'kind', 'due', 'project', 'sort', 'q'] as const;

/** Read an address; what is empty does not stand in it. */
export function readSearch(search: Record<string, unknown>): InboxSearch {
  const found: InboxSearch = search.all === true || search.all === 'true' ? { all: true } : {};
  for (const name of NAMES) {
    const value = search[name];
    if (value !== undefined && value !== '') found[name] = String(value);
  }
  return found;
}

/** Return what the server is asked for. A word with nothing but blanks asks for nothing. */
export function filterOf({ all, workflow, kind, due, project, sort, q }: InboxSearch): InboxFilter {
  const text = q?.trim();
  return {
    ...(all ? {} : { yours: true }),
    ...(workflow ? { workflow } : {}),
    ...(kind ? { kind } : {}),
    ...(due ? { due, zone: zoneOf(new Date()) } : {}),
    ...(project ? { project } : {}),
    ...(sort && !isGrouped(sort) ? { sort } : {}),
    ...(text ? { text } : {}),
  };
}

export function isFiltered({ workflow, kind, due, project, q }: InboxSearch): boolean {
  return [workflow, kind, due, project, q?.trim()].some(Boolean);
}

/** Return the order after a click on the head of a column: ascending, then descending, then by due time again. */
export function nextSort(now: string, by: string): string {
  if (now === by) return `-${by}`;
  return now === `-${by}` ? '' : by;
}
