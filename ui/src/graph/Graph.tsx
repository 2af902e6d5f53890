/** A workflow as a picture: boxes and lines, the same before it runs and while it runs. */
import { Loader, Stack, Text, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Background, Controls, MarkerType, Panel, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useKeys } from '../app/keys';
import './graph.css';
import { GraphEdge, type Routed } from './GraphEdge';
import { GraphAround, GraphNode, type Around, type Placed } from './GraphNode';
import { grouped, withPhases } from './groups';
import { layout, type Places } from './layout';
import { foldedAtFirst, insideOf, sameShape, shapeKey, shapeOf, type Item, type Shape } from './model';
import { useKept } from './useKept';

const NODE_TYPES = { item: GraphNode };
const EDGE_TYPES = { routed: GraphEdge };
const MANY_SEEN = 120;
const FIT = { padding: 0.06, maxZoom: 1.1, minZoom: 0.45 };
const LABELS = { 'controls.ariaLabel': 'View' };
/** Pixels around the graph, in its box, which is no higher than what is drawn at its largest. */
const AIR = 110;
const HIGHEST = 'min(70vh, 680px)';

export type GraphProps = {
  items: Item[];
  chosen: string;
  onChoose: (id: string) => void;
  onAnswer?: ((id: string) => void) | undefined;
};

export function Graph(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ items: all, chosen, onChoose, onAnswer }: GraphProps) {
  // A change of phase moves nothing: the layout depends only on what is fixed.
  const fixed = useKept(all, sameShape);
  const boxes = useMemo(() => grouped(fixed), [fixed]);
  const items = useMemo(() => withPhases(boxes, all), [boxes, all]);
  const scheme = useComputedColorScheme('light');
  const flow = useReactFlow();
  const [folded, setFolded] = useState(() => foldedAtFirst(boxes));
  const shape = useMemo(() => shapeOf(boxes, folded), [boxes, folded]);
  const key = useMemo(() => shapeKey(shape), [shape]);
  const { places, error, isBusy } = usePlaces(shape, key);
  const byId = useMemo(() => new Map(items.map((each) => [each.id, each])), [items]);
  const inside = useMemo(() => insideOf(items), [items]);
  const toggle = useCallback((id: string) => setFolded((now) => toggled(now, id)), []);
  const walk = useCallback((from: string, pressed: string) => focusNeighbour(places, from, pressed), [places]);
  const around: Around = useMemo(
    () => ({ items: byId, inside, folded, chosen, choose: onChoose, toggle, answer: onAnswer, walk }),
    [byId, inside, folded, chosen, onChoose, toggle, onAnswer, walk],
  );
  const nodes = useMemo(() => (places ? nodesOf(places) : []), [places]);
  const drawn = useMemo(() => (places ? edgesOf(places, byId) : []), [places, byId]);
  const edges = useKept(drawn, sameEdge);
  const { ref, width } = useElementSize<HTMLElement>();
  useEffect(() => {
    if (nodes.length > 0 && width > 0) void flow.fitView(FIT);
  }, [nodes, flow, width]);
  useKeys({
    '+': () => void flow.zoomIn(),
    '-': () => void flow.zoomOut(),
    '0': () => void flow.fitView(FIT),
    w: () =>
      focusWaiting(
        shape.items.flatMap((each) => byId.get(each.id) ?? []),
        inside,
        folded,
        flow.fitView,
      ),
  });
  if (error) return <Text role="alert">The graph could not be laid out: {error}. The list shows the same.</Text>;
  if (!places)
    return (
      <Stack className="graph" align="center" justify="center">
        <Loader aria-label="Laying out the graph" />
      </Stack>
    );
  return (
    <section
      ref={ref}
      className="graph"
      aria-label="Graph"
      aria-busy={isBusy}
      style={{
        aspectRatio: `${places.width + AIR} / ${places.height + AIR}`,
        maxHeight: `min(${HIGHEST}, ${Math.round(places.height * FIT.maxZoom + AIR)}px)`,
      }}
      data-layout-ms={Math.round(places.milliseconds)}
    >
      <GraphAround.Provider value={around}>
        <ReactFlow
          colorMode={scheme}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          nodes={nodes}
          edges={edges as Routed[]}
          fitView
          fitViewOptions={FIT}
          minZoom={0.05}
          nodesConnectable={false}
          nodesDraggable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          preventScrolling={false}
          ariaLabelConfig={LABELS}
          onlyRenderVisibleElements={nodes.length > MANY_SEEN}
        >
          <Background />
          {isBusy && (
            <Panel position="top-left">
              <Loader size="sm" aria-label="Laying out the graph" />
            </Panel>
          )}
          <Controls showInteractive={false} position="top-right" orientation="horizontal" />
        </ReactFlow>
      </GraphAround.Provider>
    </section>
  );
}

/** The places of a shape; while those of another are looked for, the old ones stay. */
function usePlaces(shape: Shape, key: string): { places: Places | undefined; error: string; isBusy: boolean } {
  const [found, setFound] = useState<{ places: Places; key: string }>();
  const [error, setError] = useState('');
  useEffect(() => {
    let isWanted = true;
    layout(shape).then(
      (places) => isWanted && setFound({ places, key }),
      (reason: unknown) => isWanted && setError(String(reason)),
    );
    return () => {
      isWanted = false;
    };
    // The key says all of the shape that matters here: a change of phase moves nothing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return { places: found?.places, error, isBusy: found?.key !== key };
}

function toggled(now: ReadonlySet<string>, id: string): Set<string> {
  const next = new Set(now);
  if (!next.delete(id)) next.add(id);
  return next;
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

function edgesOf(places: Places, items: ReadonlyMap<string, Item>): Routed[] {
  return places.ways.map((link) => {
    const target = items.get(link.target);
    const isUntaken = target?.phase === 'SKIPPED' || items.get(link.source)?.phase === 'SKIPPED';
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
    };
  });
}

function sameEdge(one: Routed, other: Routed): boolean {
  return one.data?.way === other.data?.way && one.className === other.className && one.animated === other.animated;
}

function focusOn(id: string): boolean {
  const found = document.querySelector<HTMLElement>(`[data-focus="${CSS.escape(id)}"]`);
  found?.focus();
  return found !== null;
}

/** Arrow keys go along the lines, and up and down among what stands beside. */
function focusNeighbour(places: Places | undefined, from: string, key: string): boolean {
  if (!places) return false;
  if (key === 'ArrowRight') return places.ways.some((each) => each.source === from && focusOn(each.target));
  if (key === 'ArrowLeft') return places.ways.some((each) => each.target === from && focusOn(each.source));
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return false;
  const own = places.boxes.find((each) => each.id === from);
  if (!own) return false;
  const way = key === 'ArrowUp' ? -1 : 1;
  const near = places.boxes
    .filter((each) => each.parent === own.parent && (each.y - own.y) * way > 0)
    .sort((a, b) => distance(own, a) - distance(own, b));
  return near.some((each) => focusOn(each.id));
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot((a.x - b.x) * 2, a.y - b.y);
}

/** What is seen of what waits: a gate, or what it is folded away in. */
function focusWaiting(
  items: readonly Item[],
  inside: Around['inside'],
  folded: ReadonlySet<string>,
  fitView: ReturnType<typeof useReactFlow>['fitView'],
): void {
  const waiting = items.filter(
    (each) => each.phase === 'WAITING' || (folded.has(each.id) && (inside.get(each.id)?.waiting ?? 0) > 0),
  );
  const at = waiting.findIndex((each) => document.activeElement?.getAttribute('data-focus') === each.id);
  const next = waiting[(at + 1) % waiting.length];
  if (next) void fitView({ nodes: [{ id: next.id }], maxZoom: 1 }).then(() => focusOn(next.id));
}
