/** A workflow as a picture: boxes and lines, the same before it runs and while it runs. */
import { Button, Loader, Stack, Text, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Background, MarkerType, Panel, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useKeys } from '../app/keys';
import './graph.css';
import { GraphBar } from './GraphBar';
import { GraphControls } from './GraphControls';
import { GraphEdge, type Routed } from './GraphEdge';
import { GraphAround, GraphNode, type Around, type Placed } from './GraphNode';
import type { Places } from './layout';
import { isNode, type Item } from './model';
import { LEFT_OUT } from './phases';
import { asksNow } from './states';
import { useFolds, type Folds, type Loops, type Memory } from './useFolds';
import { useKept } from './useKept';
import { usePlaces } from './usePlaces';
import { firstView, keptView, revealing } from './view';
import { focusSoon, found, neighbour, nextWaiting } from './walk';

const NODE_TYPES = { item: GraphNode };
const EDGE_TYPES = { routed: GraphEdge };
const MANY_SEEN = 120;
/** More boxes than these take the layout longer than anybody waits for. */
const MOST_DRAWN = 2_000;
/** Milliseconds after a choice within which its node is kept in view while the panel opens beside the graph. */
const OPENING_MS = 1_000;
/** Pixels around the graph, in its box. */
const AIR = 110;
const LEAST_TALL = 380;
/** Of the height of the window. */
const MOST_TALL = 0.64;

export type GraphProps = {
  items: Item[];
  chosen: string;
  onChoose: (id: string) => void;
  onAnswer?: ((id: string) => void) | undefined;
  loops?: Loops;
  memory?: Memory;
};

export function Graph(props: GraphProps) {
  const [own] = useState<Memory>({});
  const memory = props.memory ?? own;
  const folds = useFolds(props.items, props.loops, memory);
  const [isWanted, setWanted] = useState(false);
  if (folds.shape.items.length > MOST_DRAWN && !isWanted)
    return (
      <Stack className="graph graph-many" align="center" justify="center">
        <Text>
          {folds.shape.items.length.toLocaleString()} nodes are too many to make out. The list has all of them.
        </Text>
        <Button variant="default" onClick={() => setWanted(true)}>
          Draw them all the same
        </Button>
      </Stack>
    );
  return (
    <ReactFlowProvider>
      <Drawn {...props} memory={memory} folds={folds} />
    </ReactFlowProvider>
  );
}

type DrawnProps = GraphProps & { memory: Memory; folds: Folds };

function Drawn({ chosen, onChoose, onAnswer, memory, folds }: DrawnProps) {
  const { items, byId, inside, folded, rounds, unfolded, shape, toggle, open, unfold, uncover } = folds;
  const scheme = useComputedColorScheme('light');
  const flow = useReactFlow();
  const { places, error, isBusy } = usePlaces(shape, folds.rows, folds.key);
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  const [isFull, setFull] = useState(false);
  // Known before it is measured, for the first view depends on it.
  const tall = places ? tallness(places) : LEAST_TALL;
  const size = useMemo(() => ({ width, height: isFull ? height : tall }), [width, height, isFull, tall]);
  const [isActive, setActive] = useState(false);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [stop, stopAt] = useState('');
  const touched = useRef('');
  const wanted = useRef<{ id: string; focus: boolean } | undefined>(undefined);

  const show = useCallback(
    (id: string, focus = false) => {
      const seen = visible(id, byId, folded);
      if (!places?.boxes.some((each) => each.id === seen)) return;
      const now = flow.getViewport();
      const next = revealing(now, places, seen, size);
      if (next !== now) void flow.setViewport(next);
      if (focus) focusSoon(seen);
    },
    [byId, folded, places, flow, size],
  );
  useKeptPlace(places, size, () => [touched.current, chosen], show, wanted);
  useChosenInView(chosen, size, show);

  const walk = useCallback(
    (from: string, pressed: string) => {
      const next = neighbour(places, from, pressed);
      if (next !== undefined) show(next, true);
      return next !== undefined;
    },
    [places, show],
  );
  const touch = useCallback(
    (act: (id: string) => void) => (id: string) => {
      touched.current = id;
      act(id);
    },
    [],
  );
  const goTo = (id: string) => {
    wanted.current = { id, focus: false };
    uncover(id);
    show(id);
  };
  const goWaiting = () => {
    const next = nextWaiting(
      shape.items.flatMap((each) => byId.get(each.id) ?? []),
      inside,
      folded,
      document.activeElement?.getAttribute('data-focus') ?? undefined,
    );
    if (next !== undefined) show(next, true);
  };
  useKeys({ w: goWaiting });
  useEscape(isFull, () => setFull(false));
  const first = shape.items[0]?.id ?? '';
  const around: Around = useMemo(
    () => ({
      items: byId,
      inside,
      folded,
      rounds,
      unfolded,
      marked,
      chosen,
      answer: onAnswer,
      walk,
      stopAt,
      stop: [stop, chosen].find((each) => each !== '' && !isHidden(each, byId, folded)) ?? first,
      choose: touch(onChoose),
      toggle: touch(toggle),
      open: (frame, round) => touch((id) => open(id, round))(frame),
      unfold: touch(unfold),
    }),
    [
      byId,
      inside,
      folded,
      rounds,
      unfolded,
      marked,
      chosen,
      onAnswer,
      walk,
      stop,
      first,
      touch,
      onChoose,
      toggle,
      open,
      unfold,
    ],
  );
  const nodes = useMemo(() => (places ? nodesOf(places) : []), [places]);
  const drawn = useMemo(() => (places ? edgesOf(places, byId) : []), [places, byId]);
  const edges = useKept(drawn, sameEdge);
  const waiting = useMemo(() => items.filter(asksNow).length, [items]);

  if (error) return <Text role="alert">The graph could not be laid out: {error}. The list shows the same.</Text>;
  return (
    <section
      className={isFull ? 'graph graph-full' : 'graph'}
      aria-label="Graph"
      aria-busy={isBusy}
      data-layout-ms={places && Math.round(places.milliseconds)}
      onPointerDown={() => setActive(true)}
      onPointerLeave={() => setActive(false)}
    >
      <GraphBar
        find={(text) => found(items, text)}
        show={goTo}
        mark={(ids) => setMarked(new Set(ids.map((id) => visible(id, byId, folded))))}
        waiting={waiting}
        nextWaiting={goWaiting}
      />
      <div ref={ref} className="gcanvas" style={{ height: tall }}>
        {places && width > 0 ? (
          <GraphAround.Provider value={around}>
            <ReactFlow
              colorMode={scheme}
              nodeTypes={NODE_TYPES}
              edgeTypes={EDGE_TYPES}
              nodes={nodes}
              edges={edges as Routed[]}
              defaultViewport={memory.view ?? firstView(places, size, mattersMost(shape.items, byId))}
              onMove={(_, view) => {
                memory.view = view;
              }}
              minZoom={0.05}
              nodesConnectable={false}
              nodesDraggable={false}
              nodesFocusable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              preventScrolling={isActive || isFull}
              aria-label={`Graph, ${countOf(items)} nodes. The list has the same content.`}
              onlyRenderVisibleElements={nodes.length > MANY_SEEN}
              disableKeyboardA11y
              attributionPosition="top-right"
            >
              <Background />
              {isBusy && (
                <Panel position="top-left">
                  <Loader size="sm" aria-label="Laying out the graph" />
                </Panel>
              )}
              <GraphControls places={places} size={size} items={byId} isFull={isFull} setFull={setFull} />
            </ReactFlow>
          </GraphAround.Provider>
        ) : (
          <Stack h="100%" align="center" justify="center">
            <Loader aria-label="Laying out the graph" />
          </Stack>
        )}
      </div>
    </section>
  );
}

/** After a new layout, what was touched stays where it was; then what was asked for is brought into view. */
function useKeptPlace(
  places: Places | undefined,
  size: { width: number; height: number },
  stays: () => string[],
  show: (id: string, focus?: boolean) => void,
  wanted: React.RefObject<{ id: string; focus: boolean } | undefined>,
): void {
  const flow = useReactFlow();
  const before = useRef<Places | undefined>(undefined);
  useLayoutEffect(() => {
    const old = before.current;
    before.current = places;
    if (!places || !old || old === places) return;
    void flow.setViewport(keptView(flow.getViewport(), old, places, stays(), size));
    if (wanted.current) show(wanted.current.id, wanted.current.focus);
    wanted.current = undefined;
    // Only another layout moves anything.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [places]);
}

/** A node that was chosen stays in view while the panel opens, and comes into view if it was chosen elsewhere. */
function useChosenInView(chosen: string, size: { width: number; height: number }, show: (id: string) => void): void {
  const since = useRef({ id: '', at: 0 });
  useEffect(() => {
    if (since.current.id !== chosen) since.current = { id: chosen, at: performance.now() };
    if (chosen !== '' && performance.now() - since.current.at < OPENING_MS) show(chosen);
    // The view does not move only because something else is drawn.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen, size]);
}

function useEscape(enabled: boolean, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!enabled) return undefined;
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.querySelector('[role=dialog]')) latest.current();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [enabled]);
}

/** As high as it needs at its largest, within what a window has room for. */
function tallness(places: Places): number {
  const most = Math.max(LEAST_TALL, Math.round(window.innerHeight * MOST_TALL));
  return Math.min(most, Math.max(LEAST_TALL, Math.round(places.height * 1.1 + AIR)));
}

function countOf(items: readonly Item[]): number {
  return items.filter(isNode).length;
}

/** Return what is seen of an item: itself, or what it is folded away in. */
function visible(id: string, byId: ReadonlyMap<string, Item>, folded: ReadonlySet<string>): string {
  let seen = id;
  for (let at = byId.get(id); at !== undefined;) {
    const up: string = at.branch?.id ?? at.scope;
    if (folded.has(up)) seen = up;
    at = byId.get(up);
  }
  return seen;
}

function isHidden(id: string, byId: ReadonlyMap<string, Item>, folded: ReadonlySet<string>): boolean {
  return !byId.has(id) || visible(id, byId, folded) !== id;
}

/** Return what is to be seen first: what waits, went wrong or runs. */
function mattersMost(shown: readonly Item[], byId: ReadonlyMap<string, Item>): string {
  const now = shown.flatMap((each) => byId.get(each.id) ?? []);
  const isHolder = new Set(now.map((each) => each.scope));
  const leaves = now.filter((each) => !isHolder.has(each.id));
  const looks = ['WAITING', 'FAILED', 'REJECTED', 'TIMED_OUT', 'RUNNING'];
  const found = looks.map((look) => leaves.find(({ phase }) => phase === look)?.id);
  return found.find((id) => id !== undefined) ?? '';
}

function nodesOf(places: Places): Placed[] {
  const parents = new Set(places.boxes.map((each) => each.parent));
  return places.boxes.map((box) => ({
    id: box.id,
    type: 'item',
    position: { x: box.x, y: box.y },
    width: box.width,
    height: box.height,
    data: { container: parents.has(box.id) },
    ...(box.parent ? { parentId: box.parent } : {}),
  }));
}

/** Lines are not read out: what comes after what is in the list, by name. */
const UNREAD = { 'aria-hidden': true } as const;

function edgesOf(places: Places, items: ReadonlyMap<string, Item>): Routed[] {
  return places.ways.map((link) => {
    const target = items.get(link.target);
    const isUntaken = [link.source, link.target].some((id) => LEFT_OUT.has(items.get(id)?.phase ?? ''));
    return {
      id: link.id,
      source: link.source,
      target: link.target,
      type: 'routed',
      data: { way: link },
      zIndex: 1,
      className: isUntaken ? 'gedge-untaken' : `gedge-${target?.phase ?? ''}`,
      animated: target?.phase === 'RUNNING',
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
      ariaLabel: `${items.get(link.source)?.name ?? ''} to ${target?.name ?? ''}`,
      domAttributes: UNREAD,
    };
  });
}

function sameEdge(one: Routed, other: Routed): boolean {
  return one.data?.way === other.data?.way && one.className === other.className && one.animated === other.animated;
}
