/** What a node of an execution asks. */
import { handleOf, taskId } from '../../api/queries';
import type { ExecutionView, WaitingView } from '../../api/types';

/** Return what a waiting node asks, if it came with the execution: of very many questions only the first do. */
export function askedAt(execution: ExecutionView, id: string): WaitingView | undefined {
  return execution.waiting.find((each) => each.node === id);
}

/** Return what leads to the question of a waiting node. */
export function taskAt(execution: ExecutionView, id: string): string {
  const asked = askedAt(execution, id);
  return asked ? taskId(asked) : `${execution.id}:${handleOf(id)}`;
}
