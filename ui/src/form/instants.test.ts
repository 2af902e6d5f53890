import { afterEach, expect, test, vi } from 'vitest';
import {
  fromLocal,
  instantOf,
  instantsOf,
  isNaive,
  localOf,
  offsetText,
  parseDuration,
  unitOf,
  writeDuration,
} from './instants';

afterEach(() => void vi.unstubAllEnvs());
const live = (zone: string) => vi.stubEnv('TZ', zone);

test('a duration reads back as it was written, in every unit', () => {
  expect(parseDuration(writeDuration(3, 'weeks'))).toBe(3 * 604_800);
  expect(parseDuration(writeDuration(-2, 'days'))).toBe(-2 * 86_400);
  expect(parseDuration(writeDuration(1.5, 'hours'))).toBe(5_400);
  expect(parseDuration(writeDuration(0.25, 'seconds'))).toBe(0.25);
});

test('a text that means no duration is refused', () => {
  for (const text of ['', 'P', 'PT', '5', 'PT5', '1 day']) expect(parseDuration(text), text).toBeUndefined();
});

test('seconds are shown in the largest unit in which they are whole', () => {
  expect([86_400, 7_200, 90, 61 * 60, undefined].map(unitOf)).toEqual([
    'days',
    'hours',
    'seconds',
    'minutes',
    'minutes',
  ]);
});

test('a time without an offset or a zone is naive', () => {
  expect(isNaive('2026-03-29T02:30:00')).toBe(true);
  expect(instantOf('2026-03-29T02:30:00')).toBeUndefined();
  expect(isNaive('2026-03-29T02:30:00+01:00')).toBe(false);
  expect(instantOf('2026-03-29T02:30:00+01:00')?.toISOString()).toBe('2026-03-29T01:30:00.000Z');
});

test.each([
  ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
  ['Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00Z', '2026-04-04T15:15:00Z'],
  ['America/New_York', '2026-11-01T01:59:59', '2026-11-01T05:59:59Z', '2026-11-01T06:59:59Z'],
])('a time that comes twice in %s is either, and stays the one that it was', (zone, local, first, second) => {
  live(zone);
  expect(instantsOf(local).map((each) => each.toISOString().replace('.000Z', 'Z'))).toEqual([first, second]);
  expect(localOf(first)?.text).toBe(local);
  expect(localOf(second)?.text).toBe(local);
  expect(fromLocal(local)).toBe(first);
  expect(fromLocal(local, first)).toBe(first);
  expect(fromLocal(local, second)).toBe(second);
});

test('a time that does not exist is the one after the clocks were put forward', () => {
  live('Europe/Berlin');
  expect(instantsOf('2026-03-29T02:30:00')).toEqual([]);
  expect(fromLocal('2026-03-29T02:30:00')).toBe('2026-03-29T01:30:00Z');
});

test('parts of a second are kept to the microsecond', () => {
  live('Europe/Berlin');
  const local = localOf('2026-06-01T10:00:15.123456Z');
  expect(local).toEqual({ text: '2026-06-01T12:00:15', fraction: '.123456' });
  expect(fromLocal('2026-06-01T13:00:15', undefined, local?.fraction)).toBe('2026-06-01T11:00:15.123456Z');
  expect(localOf('2026-06-01T10:00:15.5')).toEqual({ text: '2026-06-01T10:00:15', fraction: '.5' });
});

test('a year that the field cannot show is not shown as another one, or as none', () => {
  live('Asia/Tokyo');
  expect(localOf('9999-12-31T20:00:00Z')).toBeUndefined();
  live('America/New_York');
  expect(localOf('0001-01-01T00:00:00Z')).toBeUndefined();
  expect(localOf('9999-12-31T20:00:00Z')?.text).toBe('9999-12-31T15:00:00');
});

test.each(['Europe/Amsterdam', 'Africa/Monrovia', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia'])(
  'a time of any age in %s reads back as it was written',
  (zone) => {
    live(zone);
    for (const text of ['0002-01-02T03:04:05Z', '1890-07-01T12:00:01Z', '1937-07-01T00:00:00Z', '2026-12-31T23:59:59Z'])
      expect(fromLocal(localOf(text)?.text ?? '')).toBe(text);
  },
);

test('the offset of an instant is told as it is there', () => {
  live('Asia/Kathmandu');
  expect(offsetText(new Date('2026-06-01T00:00:00Z'))).toBe('UTC+05:45');
  live('America/St_Johns');
  expect(offsetText(new Date('2026-01-01T00:00:00Z'))).toBe('UTC−03:30');
});
