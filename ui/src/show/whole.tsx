/** Whether all of what is shown is shown: large values are cut at first, and each part that is cut says so here. */
import { Alert, Button } from '@mantine/core';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

type Whole = { everything: boolean; cut: () => () => void };

const Context = createContext<Whole>({ everything: false, cut: () => () => undefined });

/** Values that are decided about, and below them how many parts of them are cut or folded, with a way to see all. */
export function Decided({ children }: { children: ReactNode }) {
  const [everything, setEverything] = useState(false);
  const [parts, setParts] = useState(0);
  const whole = useMemo(
    () => ({
      everything,
      cut: () => {
        setParts((now) => now + 1);
        return () => setParts((now) => now - 1);
      },
    }),
    [everything],
  );
  return (
    <Context.Provider value={whole}>
      {children}
      {parts > 0 && (
        <Alert
          color="orange"
          variant="light"
          role="note"
          title={
            parts === 1
              ? 'One part of what you decide about is cut or folded'
              : `${parts} parts of what you decide about are cut or folded`
          }
        >
          <Button size="xs" variant="default" onClick={() => setEverything(true)}>
            Show everything
          </Button>
        </Alert>
      )}
    </Context.Provider>
  );
}

export function useEverything(): boolean {
  return useContext(Context).everything;
}

/** Say that something is cut, as long as it is; `said` is how much of it is shown. */
export function useCut(isCut: boolean, _said = ''): void {
  const { cut } = useContext(Context);
  useEffect(() => (isCut ? cut() : undefined), [isCut, cut]);
}

/** How much of something is shown: "200 of 5,000 rows"; empty if it is all. */
export function part(shown: number, all: number, what: string): string {
  return shown < all ? `${shown.toLocaleString('en')} of ${all.toLocaleString('en')} ${what}` : '';
}

/** What is cut of one value, and the way to all of it. */
export function Cut({ parts, onAll }: { parts: string[]; onAll: () => void }) {
  const said = parts.filter(Boolean).join(', ');
  useCut(said !== '');
  if (said === '') return null;
  return (
    <div className="cut-here">
      Shown: {said}{' '}
      <Button size="compact-xs" variant="default" onClick={onAll}>
        Show all
      </Button>
    </div>
  );
}
