import { describe, expect, it } from 'vitest';
import type { Item } from './model';
import { chainsOf, linesOf, unnested, type Round } from './rounds';

const round = (number: number, phase = 'SUCCEEDED'): Round => ({
  number,
  phase,
  began: null,
  ended: null,
  figures: [],
});
const many = (count: number) => Array.from({ length: count }, (_, at) => round(at + 1));

function item(id: string, name: string, phase = 'RUNNING'): Item {
  const scope = id.includes('/') ? id.slice(0, id.lastIndexOf('/')) : '';
  return { id, name, kind: 'task', phase, scope, upstream: [], branch: null, cases: [], dynamic: false, node: null };
}

/** A dynamic task that calls itself and does something with what the call returns. */
function chain(length: number): Item[] {
  const found: Item[] = [];
  for (let at = 0, id = 'n0'; at < length; at += 1, id = `${id}/n0`) {
    found.push(item(id, 'nest'));
    found.push(item(`${id}/n1`, 'step', at === length - 1 ? 'WAITING' : 'NOT_STARTED'));
  }
  return found;
}

describe('the lines of a loop', () => {
  it('has one for each round but the one that is open', () => {
    expect(linesOf({ word: 'Round', rounds: many(5), open: 5, most: 0 })).toHaveLength(4);
  });
  it('folds the middle of many rounds, and keeps the first and the last three', () => {
    const lines = linesOf({ word: 'Round', rounds: many(20), open: 20, most: 0 });
    expect(
      lines.map((each) => ('round' in each ? each.round.number : [each.from, each.to, each.many, each.phase])),
    ).toEqual([1, [2, 16, 15, 'SUCCEEDED'], 17, 18, 19]);
  });
  it('never folds a round that failed or waits, nor one that somebody opened', () => {
    const rounds = many(20).map((each) => (each.number === 9 ? round(9, 'FAILED') : each));
    const lines = linesOf({ word: 'Round', rounds, open: 5, most: 0 });
    const shown = lines.flatMap((each) => ('round' in each ? [each.round.number] : []));
    expect(shown).toContain(9);
    expect(shown).toContain(5);
  });
});

describe('calls that lie in each other', () => {
  it('are one frame that shows the nodes of the call in which something happens', () => {
    const { items, rounds } = unnested(chain(20), new Map());
    expect(rounds.get('n0')?.rounds).toHaveLength(20);
    expect(rounds.get('n0')?.open).toBe(20);
    expect(items.map((each) => [each.name, each.scope])).toEqual([
      ['nest', ''],
      ['step', 'n0'],
    ]);
  });
  it('show the nodes of another call when somebody opens it', () => {
    const { items } = unnested(chain(20), new Map([['n0', 3]]));
    const inside = items.filter((each) => each.scope === 'n0').map((each) => each.name);
    expect(inside.sort()).toEqual(['nest', 'step']);
  });
  it('are drawn as they are when they are few, or when one calls itself twice', () => {
    expect(chainsOf(chain(2)).size).toBe(0);
    const twice = [item('n0', 'fib'), item('n0/n0', 'fib'), item('n0/n1', 'fib'), item('n0/n0/n0', 'fib')];
    expect(chainsOf(twice).size).toBe(0);
  });
});
