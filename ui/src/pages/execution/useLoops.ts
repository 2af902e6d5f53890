import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ExecutionView } from '../../api/types';
import type { Rounds } from '../../graph/rounds';
import type { Loops } from '../../graph/useFolds';
import { loopsOf, roundsFrom } from './loops';
import { historyQuery } from './queries';

/** The rounds of an execution's loops. Its history is asked for only if it has any. */
export function useLoops(execution: ExecutionView): Loops {
  const has = useMemo(() => loopsOf(execution).size > 0, [execution]);
  const history = useQuery({ ...historyQuery(execution), enabled: has });
  return useMemo(() => {
    const rounds = new Map<string, Rounds>();
    for (const [id, all] of has && history.data ? roundsFrom(history.data, execution) : [])
      rounds.set(id, { word: 'Round', rounds: all, open: all.at(-1)?.number ?? 1, most: 0 });
    return { rounds, open: () => undefined };
  }, [has, history.data, execution]);
}
