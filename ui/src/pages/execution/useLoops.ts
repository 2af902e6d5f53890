import { useQueries } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { ExecutionView, GraphNodeView, NodeView } from '../../api/types';
import { itemsOfExecution, type Item } from '../../graph/model';
import type { Round, Rounds } from '../../graph/rounds';
import type { Loops } from '../../graph/useFolds';
import { loopsOf, turnOf, withRound } from './loops';
import { roundQuery, roundsQuery } from './queries';

const NO_ROUNDS: readonly Round[] = [];
const CURRENT: ReadonlyMap<string, number> = new Map();

/** The items of an execution, with the nodes of the round of each loop that somebody opened, and the rounds of its loops. */
export function useLoops(
  execution: ExecutionView,
  planned: readonly GraphNodeView[],
  chosen: string,
): { items: Item[]; loops: Loops } {
  const { id, nodes } = execution;
  const [asked, setOpened] = useState(CURRENT);
  const turns = useMemo(() => loopsOf(nodes), [nodes]);
  const ids = useMemo(() => [...turns.keys()], [turns]);
  const opened = useMemo(() => withChosen(asked, chosen, turns), [asked, chosen, turns]);
  const all = useQueries({ queries: ids.map((loop) => roundsQuery(id, loop)), combine: dataOf });
  const past = useMemo(() => [...opened].filter(([loop]) => ids.includes(loop)), [opened, ids]);
  const shown = useQueries({ queries: past.map(([loop, round]) => roundQuery(id, loop, round)), combine: dataOf });
  const rounds = useMemo(() => {
    const found = new Map<string, Rounds>();
    ids.forEach((loop, at) => {
      const list = all[at]?.rounds ?? NO_ROUNDS;
      const last = list.at(-1)?.number ?? 1;
      const isThere = shown[past.findIndex(([each]) => each === loop)] !== undefined;
      const open = isThere ? (opened.get(loop) ?? last) : last;
      if (list.length > 0) found.set(loop, { word: 'Round', rounds: [...list], open, most: all[at]?.most ?? 0 });
    });
    return found;
  }, [ids, all, past, shown, opened]);
  const items = useMemo(() => {
    const now = itemsOfExecution(execution, planned);
    if (past.length === 0) return now;
    const before = past.reduce<readonly NodeView[]>((known, [loop], at) => {
      const round = shown[at];
      return round ? withRound(known, loop, round.items) : known;
    }, nodes);
    const looks = new Map(now.map((each) => [each.id, each]));
    // A loop is as far as its current round, whatever round is shown.
    return itemsOfExecution({ ...execution, nodes: [...before] }, planned).map((each) => looks.get(each.id) ?? each);
  }, [execution, planned, nodes, past, shown]);
  const open = useCallback((loop: string, round: number) => setOpened((now) => opening(now, loop, round)), []);
  return { items, loops: useMemo(() => ({ rounds, open }), [rounds, open]) };
}

/** A link may lead to a node of an earlier round. */
function withChosen(
  opened: ReadonlyMap<string, number>,
  chosen: string,
  loops: ReadonlyMap<string, NodeView>,
): ReadonlyMap<string, number> {
  const turn = turnOf(chosen, loops.keys());
  if (!turn || opened.has(turn.loop) || turn.round >= (loops.get(turn.loop)?.round ?? 1)) return opened;
  return opening(opened, turn.loop, turn.round);
}

function opening(now: ReadonlyMap<string, number>, loop: string, round: number): ReadonlyMap<string, number> {
  return new Map([...[...now].filter(([each]) => each !== loop), ...(round > 0 ? [[loop, round] as const] : [])]);
}

function dataOf<T>(results: { data: T | undefined }[]): (T | undefined)[] {
  return results.map(({ data }) => data);
}
