import { expect, test } from 'vitest';
import type { ExecutionLine, RecoveryView } from '../../api/types';
import { canAct, told } from './Many';

const line = (phase: string, damaged = '') => ({ phase, damaged }) as ExecutionLine;

test('only what has failed or was terminated is recovered, and only what goes on is terminated', () => {
  expect(['FAILED', 'ABORTED', 'SUCCEEDED', 'RUNNING'].map((each) => canAct('recover', line(each)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(['WAITING', 'RUNNING', 'FAILED'].map((each) => canAct('terminate', line(each)))).toEqual([true, true, false]);
  expect(canAct('relaunch', line('SUCCEEDED'))).toBe(true);
  expect(canAct('relaunch', line('FAILED', 'a line is damaged'))).toBe(false);
});

test('a preview says what is kept, runs and is asked', () => {
  const nodes = ['kept', 'compared', 'runs', 'asked'].map((becomes) => ({ becomes }));
  expect(told({ nodes, same_code: true } as unknown as RecoveryView)).toBe('2 kept, 1 runs, 1 asked again');
  expect(told({ nodes: [], same_code: false } as unknown as RecoveryView)).toBe('with newer code');
});
