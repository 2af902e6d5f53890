import { describe, expect, it } from 'vitest';
import { linesWith, partsOf } from './lines';

describe('the lines of a log', () => {
  it('are found whatever their case, with their numbers', () => {
    const { lines, total } = linesWith('start\nWarning: slow\nend\nno warning\n', 'warning');
    expect(lines.map((each) => each.number)).toEqual([2, 4]);
    expect(total).toBe(4);
  });
  it('are the last ones if there are too many, and say how many are left out', () => {
    const { lines, left } = linesWith('a\nb\nc\nd', '', 3);
    expect([lines[0]?.text, left]).toEqual(['b', 1]);
  });
  it('are none in an empty log', () => {
    expect(linesWith('', '').total).toBe(0);
  });
  it('are split at every match', () => {
    expect(partsOf('an Ann and', 'an')).toEqual(['', 'an', ' ', 'An', 'n ', 'an', 'd']);
    expect(partsOf('none', 'x')).toEqual(['none']);
  });
});
