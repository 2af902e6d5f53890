import { describe, expect, it } from 'vitest';
import type { AnswerView } from '../api/types';
import { headline, notStored, verb } from './outcome';

const answer: AnswerView = {
  value: false,
  who: 'ben',
  via: 'cli',
  at: '2026-11-28T15:09:12Z',
  comment: '',
  early: false,
  by_timeout: false,
  credential: '',
  shown: '',
  kept: '',
  kept_by: '',
};

describe('how a question ended', () => {
  it('names the person and the decision', () => {
    expect(headline({ kind: 'approve', phase: 'FAILED', answer }, null, 'ann')).toBe('Already rejected by ben');
    expect(headline({ kind: 'approve', phase: 'FAILED', answer }, null, 'ben')).toBe('Already rejected by you');
    expect(
      headline({ kind: 'input', phase: 'SUCCEEDED', answer: { ...answer, value: 3, early: true } }, null, 'x'),
    ).toBe('Already answered by ben before it was asked');
  });

  it('tells silence from a person, and what silence did', () => {
    const late = { ...answer, who: 'timeout', by_timeout: true };
    expect(headline({ kind: 'approve', phase: 'FAILED', answer: late }, null, 'ann')).toMatch(
      /^Timed out\..*rejected$/,
    );
    expect(headline({ kind: 'input', phase: 'SUCCEEDED', answer: { ...late, value: 'v1' } }, null, 'a')).toMatch(/v1$/);
    expect(headline({ kind: 'approve', phase: 'TIMED_OUT', answer: null }, '2026-11-28T15:00:00Z', 'a')).toMatch(
      /^Timed out at .*Nobody answered$/,
    );
  });

  it('tells an end from a withdrawal, and both from a gate that has not opened', () => {
    const phases = ['ABORTED', 'SKIPPED', 'QUEUED'].map((phase) =>
      headline({ kind: 'approve', phase, answer: null }, null, 'a'),
    );
    expect(new Set(phases).size).toBe(3);
  });
});

it('what was too late is named by what was pressed', () => {
  expect(notStored('approve', true)).toMatch(/approval/);
  expect(notStored('approve', false)).toMatch(/rejection/);
  expect(notStored('input', true)).toMatch(/answer/);
});

it('only yes is an approval', () => {
  expect(verb('approve', true)).toBe('approved');
  for (const value of [false, null, 'true', 1]) expect(verb('approve', value)).toBe('rejected');
  expect(verb('input', true)).toBe('answered');
});
