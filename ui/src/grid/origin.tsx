/** Where a shown value stands, so that its rows can be asked for: an execution, a node, and a JSON pointer into the node's values. */
import { createContext, useContext, useMemo, type ReactNode } from 'react';

export interface Place {
  readonly execution: string;
  readonly node: string;
  readonly at: string;
}

const Context = createContext<Place | undefined>(undefined);

/** Say where the values inside stand. */
export function Origin({ execution, node, at, children }: Place & { children: ReactNode }) {
  const place = useMemo(() => ({ execution, node, at }), [execution, node, at]);
  return <Context.Provider value={place}>{children}</Context.Provider>;
}

/** Say in which part of the value around it what is inside stands. */
export function Within({ step, children }: { step: string | number; children: ReactNode }) {
  const place = useContext(Context);
  const inner = useMemo(
    () => place && { ...place, at: `${place.at}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}` },
    [place, step],
  );
  return <Context.Provider value={inner}>{children}</Context.Provider>;
}

export function useOrigin(): Place | undefined {
  return useContext(Context);
}
