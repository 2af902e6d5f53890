/** What a node of an execution asks. */
import type { ExecutionView, WaitingView } from '../../api/types';

/** Return what a waiting node asks. */
export function askedAt(execution: ExecutionView, id: string): WaitingView | undefined {
  return execution.waiting.find((each) => each.node === id);
}
