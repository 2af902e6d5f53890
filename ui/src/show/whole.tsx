/** Whether all of what is shown is shown: large values are cut at first, and each part that is cut says so here. */
import { Button } from '@mantine/core';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { count } from './numbers';

/**
 * A part that is not shown whole: how much of it is shown (`200 of 5,000 rows`), or empty for one that is folded. What is `unseen` cannot be
 * shown by asking for everything, and is named.
 */
type Part = { said: string; unseen: boolean };

const Cutting = createContext<{ everything: boolean; cut: (said: string, unseen?: boolean) => () => void }>({
  everything: false,
  cut: () => () => undefined,
});

type NotShown = { parts: readonly Part[]; showEverything: () => void };

const Missing = createContext<NotShown>({ parts: [], showEverything: () => undefined });

/** Values that are decided about, and what decides about them: both are below, and can tell and ask what is not shown. */
export function Decided({ children }: { children: ReactNode }) {
  const [everything, setEverything] = useState(false);
  const [parts, setParts] = useState<readonly Part[]>([]);
  const cut = useCallback((said: string, unseen = false) => {
    const part = { said, unseen };
    setParts((now) => [...now, part]);
    return () => setParts((now) => now.filter((each) => each !== part));
  }, []);
  const cutting = useMemo(() => ({ everything, cut }), [everything, cut]);
  const missing = useMemo(() => ({ parts, showEverything: () => setEverything(true) }), [parts]);
  return (
    <Cutting.Provider value={cutting}>
      <Missing.Provider value={missing}>{children}</Missing.Provider>
    </Cutting.Provider>
  );
}

export function useEverything(): boolean {
  return useContext(Cutting).everything;
}

/** What is cut or folded now, with the way to all of it. */
export function useNotShown(): NotShown {
  return useContext(Missing);
}

/** Say that something is cut, as long as it is; `said` is how much of it is shown. */
export function useCut(isCut: boolean, said = ''): void {
  const { cut } = useContext(Cutting);
  useEffect(() => (isCut ? cut(said) : undefined), [isCut, said, cut]);
}

/** Say that something was not seen, as long as it was not: a file that cannot be shown, a recording that was not played. */
export function useUnseen(isUnseen: boolean, name: string): void {
  const { cut } = useContext(Cutting);
  useEffect(() => (isUnseen ? cut(name, true) : undefined), [isUnseen, name, cut]);
}

/** How much of something is shown: "200 of 5,000 rows"; empty if it is all. */
export function part(shown: number, all: number, what: string): string {
  return shown < all ? `${count(shown)} of ${count(all)} ${what}` : '';
}

/** What is cut of one value, and the way to all of it. */
export function Cut({ parts, onAll }: { parts: string[]; onAll: (() => void) | undefined }) {
  const said = parts.filter(Boolean).join(', ');
  useCut(said !== '', said);
  if (said === '') return null;
  return (
    <div className="cut-here">
      Shown: {said}{' '}
      {onAll && (
        <Button size="compact-xs" variant="default" onClick={onAll}>
          Show all
        </Button>
      )}
    </div>
  );
}
