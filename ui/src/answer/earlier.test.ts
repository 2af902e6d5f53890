import { expect, it } from 'vitest';
import { handleBefore } from './earlier';

it('the round before is found by the node, in loops within loops too', () => {
  expect(handleBefore('n0~3/n1')).toEqual({ handle: 'n0~2/~.n1', round: 2 });
  expect(handleBefore('n0~2/n1')).toEqual({ handle: 'n0/~.n1', round: 1 });
  expect(handleBefore('n0~4/n2~2/n5/n1')).toEqual({ handle: 'n0~4/n2/n5/~.n1', round: 1 });
  expect(handleBefore('n0/n1')).toBeUndefined();
  expect(handleBefore('n0')).toBeUndefined();
});
