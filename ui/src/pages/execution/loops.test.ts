import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../api/types';
import { idIn, loopsOf, turnOf, withRound } from './loops';

const node = (id: string, round = 1) => ({ id, round }) as NodeView;

describe('the rounds of a loop', () => {
  it('are those of what is in its second round or later', () => {
    expect([...loopsOf([node('n0'), node('n1', 5)]).keys()]).toEqual(['n1']);
  });
  it('take the place of each other, with all that is inside', () => {
    const now = [node('n1', 5), node('n1~5/n0'), node('n1~5/n0/n2'), node('n10'), node('n10/n0')];
    expect(withRound(now, 'n1', [node('n1~2/n0')]).map((each) => each.id)).toEqual(['n1', 'n10', 'n10/n0', 'n1~2/n0']);
  });
  it('know the same node in another round', () => {
    const turn = turnOf('n1~3/n0/n2', ['n1', 'n10']);
    expect(turn).toEqual({ loop: 'n1', round: 3, rest: 'n0/n2' });
    expect(turn && [idIn(turn, 1), idIn(turn, 4)]).toEqual(['n1/n0/n2', 'n1~4/n0/n2']);
    expect(turnOf('n10/n0', ['n1'])).toBeUndefined();
  });
});
