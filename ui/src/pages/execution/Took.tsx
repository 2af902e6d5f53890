import { length, useNow } from '../../show/time';

/** How long something took, or takes until now. */
export function Took({ from, to }: { from: string | null; to: string | null }) {
  if (from === null) return <span className="dim">–</span>;
  return to === null ? <Running from={Date.parse(from)} /> : <>{length(Date.parse(to) - Date.parse(from))}</>;
}

function Running({ from }: { from: number }) {
  return <>{length(useNow(true) - from)}</>;
}
