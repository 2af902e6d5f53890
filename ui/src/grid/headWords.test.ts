import { expect, test } from 'vitest';
import { fitting, rangeWords } from './headWords';
import type { Kind, Profile } from './model';

const NONE: Profile = {
  position: 0,
  missing: 0,
  distinct: 3,
  exact: true,
  min: null,
  max: null,
  sum: null,
  mean: null,
  median: null,
  negative: null,
  top: null,
  histogram: null,
};
const words = (kind: Kind, some: Partial<Profile>, isMoney = false) =>
  rangeWords({ name: 'c', kind, position: 0 }, { ...NONE, ...some }, isMoney);
const letters = (text: string) => text.length;

test('a range is whole where there is room, and shorter words where there is not', () => {
  const range = words('number', { min: 0, max: 1_348_201.5 }, true);
  expect(fitting(range, 40, letters)).toBe('0.00 to 1,348,201.50');
  expect(fitting(range, 12, letters)).toBe('0 to 1.35M');
  expect(fitting(range, 9, letters)).toBe('0…1.35M');
  expect(fitting(words('date', { min: '2026-01-02', max: '2026-11-30' }), 28, letters)).toBe(
    'Jan 2, 2026 to Nov 30, 2026',
  );
  expect(fitting(words('date', { min: '2026-01-02', max: '2026-11-30' }), 21, letters)).toBe('Jan 2026 to Nov 2026');
  expect(fitting(words('integer', { min: 7, max: 7 }), 20, letters)).toBe('all 7');
});

test('what is counted is counted in short too', () => {
  const top = [
    [true, 1200],
    [false, 98_800],
  ] as const;
  expect(fitting(words('boolean', { top, missing: 0 }), 30, letters)).toBe('1,200 yes, 98,800 no');
  expect(fitting(words('boolean', { top, missing: 0 }), 19, letters)).toBe('1.2K yes, 98.8K no');
  expect(fitting(words('text', { distinct: 123_456, exact: false }), 14, letters)).toBe('~123K distinct');
});
