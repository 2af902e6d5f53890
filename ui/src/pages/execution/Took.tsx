import { span, useNow } from '../../show/time';

const SECOND = 1_000;

/** How long something took, or takes until now. */
export function Took({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return <span className="dim">–</span>;
  return to === null ? <Running from={Date.parse(from)} /> : <>{length(Date.parse(to) - Date.parse(from))}</>;
}

function Running({ from }: { from: number }) {
  return <>{length(useNow(true) - from)}</>;
}

export function length(milliseconds: number): string {
  // The page knows whole milliseconds: less than one reads as none.
  if (milliseconds === 0) return '<1 ms';
  return milliseconds < SECOND ? `${Math.max(0, Math.round(milliseconds))} ms` : span(milliseconds);
}
