/** Shards in words: which a server owns, and which nobody does. */

/** A store on Postgres has this many. */
export const SHARDS = 64;

/** Numbers in order as ranges: `0 to 3, 7`. */
export function ranges(numbers: readonly number[]): string {
  const found: string[] = [];
  for (let at = 0; at < numbers.length; at += 1) {
    const first = numbers[at];
    while (numbers[at + 1] === (numbers[at] ?? 0) + 1) at += 1;
    const last = numbers[at];
    found.push(first === last ? `${first}` : `${first} to ${last}`);
  }
  return found.join(', ');
}

/** The shards that none of these servers owns. */
export function unowned(servers: readonly { shards: readonly number[] }[]): number[] {
  const owned = new Set(servers.flatMap(({ shards }) => shards));
  return Array.from({ length: SHARDS }, (_, shard) => shard).filter((shard) => !owned.has(shard));
}
