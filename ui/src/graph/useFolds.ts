/** What is folded in a graph, which round of each loop is open, and what is drawn of it all. */
import { useCallback, useMemo, useState } from 'react';
import { grouped, withPhases } from './groups';
import {
  foldedAtFirst,
  holders,
  isTooMuch,
  insideOf,
  sameShape,
  shapeKey,
  shapeOf,
  type Inside,
  type Item,
  type Shape,
} from './model';
import { linesOf, unnested, type Rounds } from './rounds';
import { useKept } from './useKept';

/** The loops of an execution. The items have the nodes of the open rounds; `open` opens another, 0 the current one. */
export type Loops = { rounds: ReadonlyMap<string, Rounds>; open: (frame: string, round: number) => void };

/** What is kept of a graph while something else is shown in its place. */
export type Memory = {
  view?: { x: number; y: number; zoom: number };
  /** What is folded or not, other than at first. */
  turned?: ReadonlySet<string>;
  calls?: ReadonlyMap<string, number>;
};

export type Folds = {
  items: readonly Item[];
  byId: ReadonlyMap<string, Item>;
  inside: ReadonlyMap<string, Inside>;
  folded: ReadonlySet<string>;
  rounds: ReadonlyMap<string, Rounds>;
  unfolded: ReadonlySet<string>;
  rows: ReadonlyMap<string, number>;
  shape: Shape;
  key: string;
  toggle: (id: string) => void;
  open: (frame: string, round: number) => void;
  unfold: (frame: string) => void;
  /** Unfold everything that a node lies in. */
  uncover: (id: string) => void;
};

export function useFolds(all: Item[], loops: Loops | undefined, memory: Memory): Folds {
  const [calls, setCalls] = useState<ReadonlyMap<string, number>>(() => memory.calls ?? new Map());
  const flat = useMemo(() => unnested(all, calls), [all, calls]);
  // A change of phase moves nothing: the layout depends only on what is fixed.
  const fixed = useKept(flat.items, sameShape);
  const boxes = useMemo(() => grouped(fixed), [fixed]);
  const items = useMemo(() => withPhases(boxes, flat.items), [boxes, flat.items]);
  // Decided once: what somebody looks at does not fold away because more came to it.
  const [isCoarse] = useState(() => isTooMuch(boxes));
  const [turned, setTurned] = useState<ReadonlySet<string>>(() => memory.turned ?? new Set());
  const folded = useMemo(() => turnedFrom(foldedAtFirst(boxes, isCoarse), turned), [boxes, isCoarse, turned]);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  memory.calls = calls;
  memory.turned = turned;
  const rounds = useMemo(() => new Map([...flat.rounds, ...(loops?.rounds ?? [])]), [flat.rounds, loops?.rounds]);
  const rows = useMemo(
    () => new Map([...rounds].map(([id, each]) => [id, linesOf(each, unfolded.has(id)).length])),
    [rounds, unfolded],
  );
  const shape = useMemo(() => shapeOf(boxes, folded), [boxes, folded]);
  const key = useMemo(() => shapeKey(shape, rows), [shape, rows]);
  const byId = useMemo(() => new Map(items.map((each) => [each.id, each])), [items]);
  const inside = useMemo(() => insideOf(items), [items]);
  const toggle = useCallback((id: string) => setTurned((now) => toggled(now, id)), []);
  const unfold = useCallback((id: string) => setUnfolded((now) => toggled(now, id)), []);
  const openLoop = loops?.open;
  const isCall = flat.rounds;
  const open = useCallback(
    (frame: string, round: number) => {
      if (!isCall.has(frame)) openLoop?.(frame, round);
      else setCalls((now) => opening(now, frame, round));
    },
    [isCall, openLoop],
  );
  const uncover = useCallback(
    (id: string) => {
      const item = byId.get(id);
      if (!item) return;
      const closed = holders(item, byId).filter((each) => folded.has(each));
      if (closed.length > 0) setTurned((now) => closed.reduce(toggled, now));
    },
    [byId, folded],
  );
  return { items, byId, inside, folded, rounds, unfolded, rows, shape, key, toggle, open, unfold, uncover };
}

function turnedFrom(first: ReadonlySet<string>, turned: ReadonlySet<string>): ReadonlySet<string> {
  return [...turned].reduce<ReadonlySet<string>>(toggled, first);
}

function toggled(now: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(now);
  if (!next.delete(id)) next.add(id);
  return next;
}

function opening(now: ReadonlyMap<string, number>, frame: string, round: number): Map<string, number> {
  const next = new Map(now);
  if (round === 0) next.delete(frame);
  else next.set(frame, round);
  return next;
}
