/** Where everything stands. elk finds the places in a worker, so the page never waits for it; what stands in a sub-workflow is laid out in its box. */
import type { ELK, ElkNode } from 'elkjs/lib/elk-api';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { Link, Shape } from './model';

export const WIDTH = 216;
export const HEIGHT = 58;
export const HEADER = 46;
const PADDING = 18;
const LABEL_CHARACTER = 6.2;

export type Box = { id: string; parent: string; x: number; y: number; width: number; height: number };
export type Places = { boxes: Box[]; links: Link[]; milliseconds: number };

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '56',
  'elk.layered.spacing.edgeNodeBetweenLayers': '20',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.componentComponent': '26',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.padding': `[top=${HEADER + PADDING},left=${PADDING},bottom=${PADDING},right=${PADDING}]`,
};
const ROOT = { ...OPTIONS, 'elk.padding': '[top=0,left=0,bottom=0,right=0]' };

let shared: Promise<ELK> | undefined;

function engine(): Promise<ELK> {
  shared ??= import('elkjs/lib/elk-api.js').then((module) => new module.default({ workerFactory: () => new Worker(workerUrl) }));
  return shared;
}

/** Return the place of each item. Places are relative to the box an item stands in. */
export async function layout(shape: Shape): Promise<Places> {
  const began = performance.now();
  const nodes = new Map<string, ElkNode>(shape.items.map((each) => [each.id, { id: each.id, width: WIDTH, height: HEIGHT }]));
  const root: ElkNode = { id: '', layoutOptions: ROOT, children: [], edges: [] };
  const holder = (id: string): ElkNode => nodes.get(id) ?? root;
  const scopes = new Map(shape.items.map((each) => [each.id, each.scope]));
  for (const each of shape.items) {
    const up = holder(each.scope);
    const own = nodes.get(each.id);
    if (own) (up.children ??= []).push(own);
    if (up !== root) up.layoutOptions = OPTIONS;
  }
  for (const link of shape.links) {
    const up = holder(scopes.get(link.source) ?? '');
    if (scopes.get(link.source) !== scopes.get(link.target)) continue;
    const labels = link.label ? [{ id: `${link.id}:label`, text: link.label, width: link.label.length * LABEL_CHARACTER + 16, height: 18 }] : [];
    (up.edges ??= []).push({ id: link.id, sources: [link.source], targets: [link.target], labels });
  }
  const placed = await (await engine()).layout(root);
  const boxes: Box[] = [];
  collect(placed, '', boxes);
  return { boxes, links: shape.links, milliseconds: performance.now() - began };
}

function collect(node: ElkNode, parent: string, boxes: Box[]): void {
  for (const each of node.children ?? []) {
    boxes.push({ id: each.id, parent, x: each.x ?? 0, y: each.y ?? 0, width: each.width ?? WIDTH, height: each.height ?? HEIGHT });
    collect(each, each.id, boxes);
  }
}
