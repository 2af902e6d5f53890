import { describe, expect, it } from 'vitest';
import type { ExecutionView, GraphNodeView, NodeView } from '../api/types';
import { itemsOfExecution } from './model';

function node(id: string, phase: string, more: Partial<NodeView> = {}): NodeView {
  return {
    id,
    name: id,
    kind: 'task',
    phase,
    reason: '',
    parent: id.includes('/') ? id.slice(0, id.lastIndexOf('/')) : '',
    round: 1,
    attempts: phase === 'QUEUED' ? 0 : 1,
    began: phase === 'QUEUED' || phase === 'SKIPPED' ? null : '2026-01-01T00:00:00Z',
    ended: null,
    due: null,
    inputs: {},
    preview: {},
    outputs: null,
    failure: null,
    answer: null,
    upstream: [],
    case: null,
    branch: '',
    deck: false,
    held: null,
    ...more,
  };
}

function looks(nodes: NodeView[], planned: Partial<GraphNodeView>[] = []): Record<string, string> {
  const execution = { nodes } as unknown as ExecutionView;
  const items = itemsOfExecution(execution, planned as GraphNodeView[]);
  return Object.fromEntries(items.map((each) => [each.id, each.phase]));
}

const failure = { code: 'Rejected', message: 'no', node: '', name: '', trace: '' };
const held = { code: 'no_worker', message: 'no worker', since: '' };

describe('how nodes look together', () => {
  it('shows a frame as waiting if anything in it waits for people, however deep', () => {
    const found = looks([
      node('n0', 'RUNNING', { kind: 'workflow' }),
      node('n0/n0', 'RUNNING', { kind: 'workflow' }),
      node('n0/n0/n0', 'WAITING', { kind: 'approve' }),
      node('n0/n1', 'RUNNING'),
    ]);
    expect(found).toMatchObject({ n0: 'WAITING', 'n0/n0': 'WAITING', 'n0/n1': 'RUNNING' });
  });
  it('shows a frame in which all sleeps or is held as that', () => {
    const found = looks([
      node('n0', 'RUNNING', { kind: 'workflow' }),
      node('n0/n0', 'WAITING', { kind: 'sleep' }),
      node('n1', 'RUNNING', { kind: 'workflow' }),
      node('n1/n0', 'QUEUED', { attempts: 1, held }),
    ]);
    expect(found).toMatchObject({ n0: 'SLEEPING', n1: 'HELD', 'n1/n0': 'HELD' });
  });
  it('tells a node whose turn has not come from one that waits for a worker', () => {
    const busy = { ...held, code: 'busy' };
    const found = looks([
      node('n0', 'QUEUED'),
      node('n1', 'QUEUED', { attempts: 1 }),
      node('n2', 'QUEUED', { attempts: 1, held: busy }),
      node('n3', 'QUEUED', { attempts: 1, held: { ...held, code: 'interrupted' } }),
    ]);
    expect(found).toEqual({ n0: 'NOT_STARTED', n1: 'QUEUED', n2: 'QUEUED', n3: 'INTERRUPTED' });
  });
  it('says not reached of all that comes after a failure, and not taken of another way', () => {
    const found = looks(
      [
        node('n0', 'FAILED'),
        node('n1', 'SKIPPED', { upstream: ['n0'] }),
        node('n2', 'SKIPPED', { upstream: ['n1'] }),
        node('n3', 'SUCCEEDED', { kind: 'branch', case: 1 }),
        node('n4', 'SKIPPED', { branch: 'n3' }),
        node('n5', 'SKIPPED', { upstream: ['n4'], branch: 'n3' }),
      ],
      [
        { id: 'n4', name: 'n4', case: { branch: 'n3', index: 0 } },
        { id: 'n5', name: 'n5', case: { branch: 'n3', index: 0 } },
      ],
    );
    expect(found).toMatchObject({ n1: 'NOT_REACHED', n2: 'NOT_REACHED', n4: 'SKIPPED', n5: 'SKIPPED' });
  });
  it('tells a rejection and silence from an error', () => {
    const found = looks([
      node('n0', 'FAILED', { kind: 'approve', failure }),
      node('n1', 'TIMED_OUT', { kind: 'approve' }),
      node('n2', 'FAILED', { failure: { ...failure, code: 'TaskRaised' } }),
    ]);
    expect(found).toEqual({ n0: 'REJECTED', n1: 'TIMED_OUT', n2: 'FAILED' });
  });
  it('says withdrawn of a question that was open and that nobody needs', () => {
    const found = looks([node('n0', 'SKIPPED', { kind: 'input', began: '2026-01-01T00:00:00Z' })]);
    expect(found.n0).toBe('WITHDRAWN');
  });
  it('shows what a branch does that fails when no case holds', () => {
    const planned = [{ id: 'n0', name: 'good', kind: 'branch', cases: ['x > 1', 'else fail: too bad'] }];
    expect(looks([node('n0', 'FAILED', { kind: 'branch', case: 1 })], planned)['n0!']).toBe('FAILED');
    expect(looks([node('n0', 'SUCCEEDED', { kind: 'branch', case: 0 })], planned)['n0!']).toBe('SKIPPED');
    expect(looks([node('n0', 'QUEUED', { kind: 'branch' })], planned)['n0!']).toBe('NOT_STARTED');
  });
  it('keeps the object of what looks as before, so that it is not drawn again', () => {
    const inner = node('n0/n0', 'WAITING', { kind: 'approve' });
    const frame = node('n0', 'RUNNING', { kind: 'workflow' });
    const again = () => itemsOfExecution({ nodes: [frame, inner] } as unknown as ExecutionView, []);
    const [one, other] = [again(), again()];
    expect(one.every((each, at) => each === other[at])).toBe(true);
  });
});
