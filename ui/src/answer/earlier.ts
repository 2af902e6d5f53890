/** The same question in the round before: in a loop, what people want to know is what has changed since. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { questionQuery } from '../api/queries';
import type { Asked } from './view';

export type Earlier = { round: number; view: Asked };

/** The handle of a gate in the round before, and the number of that round; undefined for one that is not in a later round of a loop. */
export function handleBefore(node: string): { handle: string; round: number } | undefined {
  // `n1~3/n0`: of loops in loops, the inner one.
  const found = /^(.*)~(\d+)\/([^~]+)$/.exec(node);
  if (!found) return undefined;
  const [, loop = '', number = '', rest = ''] = found;
  const round = Number(number) - 1;
  const before = round > 1 ? `${loop}~${round}/${rest}` : `${loop}/${rest}`;
  const at = before.lastIndexOf('/');
  return { handle: `${before.slice(0, at)}/~.${before.slice(at + 1)}`, round };
}

/** What was asked in the round before, once it is known. It stays what it was. */
export function useEarlier({ execution, node }: Asked): Earlier | undefined {
  const at = useMemo(() => handleBefore(node), [node]);
  const { data } = useQuery({
    ...questionQuery(execution, at?.handle ?? ''),
    enabled: at !== undefined,
    retry: false,
  });
  return useMemo(() => (at && data ? { round: at.round, view: data } : undefined), [at, data]);
}
