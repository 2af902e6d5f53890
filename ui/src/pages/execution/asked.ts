/** What a node of an execution asks. */
import type { ExecutionView, WaitingView } from '../../api/types';

/** Return what a waiting node asks. It is addressed by its name, or by its path where there are more of that name. */
export function askedAt(execution: ExecutionView, id: string): WaitingView | undefined {
  const node = execution.nodes.find((each) => each.id === id);
  if (!node) return undefined;
  const path = `${node.parent}/${node.name}`;
  return execution.waiting.find((each) => each.path === path) ?? execution.waiting.find((each) => each.path === node.name);
}
