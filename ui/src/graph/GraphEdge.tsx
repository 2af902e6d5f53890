/** A line between two nodes, on the way that the layout found: around what stands between, with round corners. */
import { BaseEdge, EdgeLabelRenderer, type Edge, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Point, Way } from './layout';

const ROUND = 8;

export type Routed = Edge<{ way: Way }, 'routed'>;

export const GraphEdge = memo(function GraphEdge({ id, data, markerEnd }: EdgeProps<Routed>) {
  const way = data?.way;
  if (!way || way.points.length < 2) return null;
  return (
    <>
      <BaseEdge id={id} path={pathOf(way.points)} {...(markerEnd ? { markerEnd } : {})} />
      {way.label && way.labelAt && (
        <EdgeLabelRenderer>
          <span
            className="gcase"
            style={{ transform: `translate(-50%, -50%) translate(${way.labelAt.x}px, ${way.labelAt.y}px)` }}
          >
            {way.label}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const steps = rest.map((at, index) => {
    const next = rest[index + 1];
    const before = points[index];
    if (!next || !before) return `L ${at.x} ${at.y}`;
    const into = towards(at, before);
    const out = towards(at, next);
    return `L ${into.x} ${into.y} Q ${at.x} ${at.y} ${out.x} ${out.y}`;
  });
  return `M ${first.x} ${first.y} ${steps.join(' ')}`;
}

/** Return the point near a corner, on the way to another. */
function towards(corner: Point, to: Point): Point {
  const far = Math.hypot(to.x - corner.x, to.y - corner.y);
  const part = far === 0 ? 0 : Math.min(ROUND, far / 2) / far;
  return { x: corner.x + (to.x - corner.x) * part, y: corner.y + (to.y - corner.y) * part };
}
