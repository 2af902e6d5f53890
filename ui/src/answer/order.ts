/** The questions in the order in which the inbox shows them: which is the next one, and how many there are. */

let shown: readonly string[] = [];

export function rememberOrder(ids: readonly string[]): void {
  shown = ids;
}

/** Where a question stands among those shown, from 1, and its neighbours. */
export type Place = { at: number; of: number; previous: string | undefined; next: string | undefined };

export function placeOf(id: string, ids: readonly string[] = shown): Place | undefined {
  const at = ids.indexOf(id);
  return at < 0 ? undefined : { at: at + 1, of: ids.length, previous: ids[at - 1], next: ids[at + 1] };
}

/** The question to offer after another: the next below it, or from the top if it was the last; and how many are left. */
export function following(id: string, ids: readonly string[] = shown): { next: string; left: number } | undefined {
  const at = ids.indexOf(id);
  const rest = [...ids.slice(at + 1), ...ids.slice(0, Math.max(at, 0))];
  return rest[0] === undefined ? undefined : { next: rest[0], left: rest.length };
}
