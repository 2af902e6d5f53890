import { describe, expect, it } from 'vitest';
import type { EventView } from '../../api/types';
import { sentenceOf } from './sentences';

const names = new Map([
  ['n0', 'load'],
  ['n1~5/n2', 'train'],
]);
const event = (kind: string, details: EventView['details']): EventView => ({ seq: 1, at: '', kind, details });

describe('an event in words', () => {
  it('names the node, what happened and who did it', () => {
    expect(sentenceOf(event('AnswerGiven', { node: 'n0', who: 'ann' }), names)).toBe('load was answered by ann');
    expect(sentenceOf(event('TaskFailed', { node: 'n0', attempt: 2, failure: 'No\nroom' }), names)).toBe(
      'load failed on attempt 2: No',
    );
    expect(sentenceOf(event('Launched', { who: 'ann' }), names)).toBe('Launched by ann');
  });
  it('names a node of an earlier round as the one that took its place', () => {
    expect(sentenceOf(event('TaskSucceeded', { node: 'n1~3/n2' }), names)).toBe('train, round 3, succeeded');
    expect(sentenceOf(event('TaskSucceeded', { node: 'n1/n2' }), names)).toBe('train, round 1, succeeded');
  });
  it('says of a timer what it did', () => {
    const fired = (phase: string) => sentenceOf(event('TimerFired', { node: 'n0', changes: { n0: phase } }), names);
    expect([fired('QUEUED'), fired('TIMED_OUT'), fired('SUCCEEDED')]).toEqual([
      'load is tried again',
      'load timed out',
      'load woke up',
    ]);
  });
  it('shows a kind that it has no words for as it is called', () => {
    expect(sentenceOf(event('SomethingNew', {}), names)).toBe('Something new');
  });
});
