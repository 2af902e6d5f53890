/** What is selected in the inbox: questions of one workflow, kept while filters and pages change, until they are decided. */
import { useEffect, useMemo, useState } from 'react';
import { entryKey } from '../../api/queries';
import { onGone } from '../../api/refresh';
import type { WaitingView } from '../../api/types';

type Selected = ReadonlyMap<string, WaitingView>;

const NONE: Selected = new Map();

/** Whether many can be decided at once: where the answer is yes or no, and it is this person's to give. */
export function isDecidable({ kind, damaged, may }: WaitingView): boolean {
  return kind === 'approve' && !damaged && may;
}

/** Return those between two rows, both included. */
export function between(items: readonly WaitingView[], from: string, to: string): WaitingView[] {
  const places = [from, to].map((key) => items.findIndex((each) => entryKey(each) === key)).sort((a, b) => a - b);
  const [first = -1, last = -1] = places;
  return first < 0 ? items.slice(last, last + 1) : items.slice(first, last + 1);
}

export function useSelection(items: readonly WaitingView[]) {
  const [kept, setKept] = useState<Selected>(NONE);
  const [anchor, setAnchor] = useState('');
  useEffect(
    () =>
      onGone((isOver) =>
        setKept((old) => {
          const left = new Map([...old].filter(([key]) => !isOver(key)));
          return left.size === old.size ? old : left;
        }),
      ),
    [],
  );
  // A row that was fetched again carries what it shows now.
  const selected = useMemo(() => {
    if (kept.size === 0) return kept;
    const now = new Map(items.map((each) => [entryKey(each), each]));
    return new Map([...kept].map(([key, view]) => [key, now.get(key) ?? view]));
  }, [kept, items]);
  const workflow = selected.values().next().value?.workflow;
  const isSelectable = (view: WaitingView) =>
    isDecidable(view) && (workflow === undefined || view.workflow === workflow);

  const add = (views: readonly WaitingView[]) =>
    setKept((old) => {
      const next = new Map(old);
      const first = old.values().next().value?.workflow ?? views.find(isDecidable)?.workflow;
      for (const view of views) if (isDecidable(view) && view.workflow === first) next.set(entryKey(view), view);
      return next;
    });
  const drop = (views: readonly WaitingView[]) =>
    setKept((old) => {
      const gone = new Set(views.map(entryKey));
      return new Map([...old].filter(([key]) => !gone.has(key)));
    });
  const toggle = (view: WaitingView, range: boolean) => {
    const key = entryKey(view);
    if (range && anchor) add(between(items, anchor, key));
    else if (selected.has(key)) drop([view]);
    else add([view]);
    setAnchor(key);
  };
  return { selected, workflow, isSelectable, add, drop, toggle, clear: () => setKept(NONE) };
}
