/** Where everything stands. elk finds the places in a worker, so the page never waits for it; what stands in a sub-workflow is laid out in its box. */
import type { ELK, ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import { kindWord, type Item, type Link, type Shape } from './model';
import { asksPeople } from './phases';

const WIDTH = 160;
/** What the line below the name needs, at its longest. */
const NARROWEST: Record<string, number> = { input: 176, approve: 176, branch: 178, sleep: 184 };
const NARROWEST_TASK = 148;
const WIDEST = 280;
const WIDEST_HOLDER = 380;
const NAME_CHARACTER = 7.5;
const AROUND_NAME = 46;
const BUTTON = 40;
const ANSWER_BUTTON = 80;
const HEIGHT = 46;
const HEADER = 38;
const PADDING = 16;
const LABEL_CHARACTER = 6.2;
const SMALL_CHARACTER = 6.2;
/** The rows of a loop above its graph, and the line that names the round below them. */
export const ROUND_HEIGHT = 27;
const OPEN_HEIGHT = 30;
const ROUNDS_WIDTH = 440;

export type Box = { id: string; parent: string; x: number; y: number; width: number; height: number };
export type Point = { x: number; y: number };
export type Way = Link & { points: Point[]; label: string; labelAt: Point | undefined };
export type Places = { boxes: Box[]; ways: Way[]; width: number; height: number; milliseconds: number };

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': '20',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.componentComponent': '26',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.padding': paddingBelow(HEADER),
};
/** To keep the order of the model, elk compares every line with every other: with many into one node that takes minutes. */
const MANY = 150;
const FAST = {
  'elk.layered.considerModelOrder.strategy': 'NONE',
  'elk.layered.nodePlacement.strategy': 'SIMPLE',
  'elk.layered.thoroughness': '2',
};
function paddingBelow(top: number): string {
  return `[top=${top + PADDING},left=${PADDING},bottom=${PADDING},right=${PADDING}]`;
}
const INLINE = { 'elk.edgeLabels.inline': 'true' };
const NO_PADDING = { 'elk.padding': '[top=0,left=0,bottom=0,right=0]' };

/** The worker starts as soon as this is loaded: by the time there is something to lay out, it is there. */
const engine: Promise<ELK> = import('elkjs/lib/elk-api.js').then(
  (module) => new module.default({ algorithms: ['layered'], workerFactory: () => new Worker(workerUrl) }),
);

/** Return the place of each item. Places are relative to the box an item stands in. `rows` says how many rows each loop has above its graph. */
export async function layout(shape: Shape, rows: ReadonlyMap<string, number>): Promise<Places> {
  const began = performance.now();
  const nodes = new Map<string, ElkNode>(
    shape.items.map((each) => [each.id, { id: each.id, width: widthOf(each, shape), height: HEIGHT }]),
  );
  const options = shape.items.length > MANY ? { ...OPTIONS, ...FAST } : OPTIONS;
  const root: ElkNode = { id: '', layoutOptions: { ...options, ...NO_PADDING }, children: [], edges: [] };
  const holder = (id: string): ElkNode => nodes.get(id) ?? root;
  const scopes = new Map(shape.items.map((each) => [each.id, each.scope]));
  for (const each of shape.items) {
    const up = holder(each.scope);
    const own = nodes.get(each.id);
    if (own) (up.children ??= []).push(own);
    if (up !== root) up.layoutOptions = frameOptions(options, up, rows.get(each.scope));
  }
  for (const link of shape.links) {
    const up = holder(scopes.get(link.source) ?? '');
    if (scopes.get(link.source) !== scopes.get(link.target)) continue;
    const labels = link.label
      ? [
          {
            id: `${link.id}:label`,
            text: link.label,
            width: link.label.length * LABEL_CHARACTER + 16,
            height: 18,
            layoutOptions: INLINE,
          },
        ]
      : [];
    (up.edges ??= []).push({ id: link.id, sources: [link.source], targets: [link.target], labels });
  }
  const placed = await (await engine).layout(root);
  const boxes: Box[] = [];
  const ways: Way[] = [];
  const links = new Map(shape.links.map((each) => [each.id, each]));
  collect(placed, '', { x: 0, y: 0 }, boxes, (edge, corner) => {
    const link = links.get(edge.id);
    if (link) ways.push(wayOf(link, edge, corner));
  });
  return {
    boxes,
    ways,
    width: placed.width ?? WIDTH,
    height: placed.height ?? HEIGHT,
    milliseconds: performance.now() - began,
  };
}

function frameOptions(
  options: Record<string, string>,
  frame: ElkNode,
  rows: number | undefined,
): Record<string, string> {
  const least = rows === undefined ? frame.width : Math.max(frame.width ?? 0, ROUNDS_WIDTH);
  return {
    ...options,
    ...(rows === undefined ? {} : { 'elk.padding': paddingBelow(HEADER + rows * ROUND_HEIGHT + OPEN_HEIGHT - 8) }),
    'elk.nodeSize.constraints': 'MINIMUM_SIZE',
    'elk.nodeSize.minimum': `(${least}, ${HEIGHT})`,
  };
}

/** As wide as its name needs, with room for the buttons that it may have: so nothing moves when they come. */
function widthOf(item: Item, shape: Shape): number {
  const inside = shape.foldable.get(item.id) ?? 0;
  const least = NARROWEST[item.kind] ?? NARROWEST_TASK;
  const button = asksPeople(item) ? ANSWER_BUTTON : inside > 0 ? BUTTON : 0;
  const below =
    inside > 0
      ? `${kindWord(item.kind, item.dynamic)} · Not started · ${inside} of ${inside}`.length * SMALL_CHARACTER
      : 0;
  const wanted = AROUND_NAME + Math.max(item.name.length * NAME_CHARACTER, below) + button;
  return Math.round(Math.min(inside > 0 ? WIDEST_HOLDER : WIDEST, Math.max(least, wanted)));
}

/** Boxes are told relative to the box around them, and lines from the corner of the whole. */
function collect(
  node: ElkNode,
  parent: string,
  corner: Point,
  boxes: Box[],
  line: (edge: ElkExtendedEdge, corner: Point) => void,
): void {
  for (const each of node.edges ?? []) line(each, corner);
  for (const each of node.children ?? []) {
    const box = {
      id: each.id,
      parent,
      x: each.x ?? 0,
      y: each.y ?? 0,
      width: each.width ?? WIDTH,
      height: each.height ?? HEIGHT,
    };
    boxes.push(box);
    collect(each, each.id, { x: corner.x + box.x, y: corner.y + box.y }, boxes, line);
  }
}

function wayOf(link: Link, edge: ElkExtendedEdge, corner: Point): Way {
  const section = edge.sections?.[0];
  const points = section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [];
  const label = edge.labels?.[0];
  return {
    ...link,
    points: points.map((each) => ({ x: corner.x + each.x, y: corner.y + each.y })),
    labelAt:
      label?.x === undefined || label.y === undefined
        ? undefined
        : { x: corner.x + label.x + (label.width ?? 0) / 2, y: corner.y + label.y + (label.height ?? 0) / 2 },
  };
}
