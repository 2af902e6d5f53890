/** When a list may move, and where the focus goes. */
import { useMediaQuery } from '@mantine/hooks';
import { useEffect, useRef, type RefObject } from 'react';
import { hold } from '../../api/arrivals';
import { entryKey, parseTaskId, taskId } from '../../api/queries';
import type { WaitingView } from '../../api/types';
import type { ListHandle } from './QuestionList';

/** Pixels from the top within which a list counts as being at its top. */
const TOP_PX = 8;
const FOCUS_BACK_MS = 50;
const NARROW = '(max-width: 45em)';

export function useNarrow(): boolean {
  return useMediaQuery(NARROW, undefined, { getInitialValueInEffect: false });
}

/** Hold the list while it is scrolled, while something in it has the focus or the pointer, and while a dialog lies over it. */
export function useHeldList(box: RefObject<HTMLElement | null>, isCovered: boolean): void {
  useEffect(() => {
    const look = () => {
      const isUsed = box.current?.matches(':hover, :focus-within') ?? false;
      hold(isCovered ? 'covered' : isUsed || window.scrollY > TOP_PX ? 'used' : 'free');
    };
    look();
    const signs = ['scroll', 'focusin', 'focusout', 'pointermove'] as const;
    signs.forEach((each) => window.addEventListener(each, look, { passive: true }));
    return () => {
      signs.forEach((each) => window.removeEventListener(each, look));
      hold('free');
    };
  }, [box, isCovered]);
}

/** When the dialog closes, its row has the focus again; if that is gone with the answer, the one that has taken its place. */
export function useFocusBack(
  list: RefObject<ListHandle | null>,
  task: string | undefined,
  items: readonly WaitingView[],
): void {
  const open = useRef<string>(undefined);
  const latest = useRef(items);
  latest.current = items;
  useEffect(() => {
    const closed = open.current;
    open.current = task;
    if (task !== undefined || closed === undefined) return;
    window.setTimeout(() => {
      const at = document.activeElement;
      if (at !== null && at !== document.body) return;
      const { execution } = parseTaskId(closed);
      const row =
        latest.current.find((each) => taskId(each) === closed) ??
        latest.current.find((each) => each.execution === execution);
      if (!row || !list.current?.focus(entryKey(row))) list.current?.move(0);
    }, FOCUS_BACK_MS);
  }, [task, list]);
}
