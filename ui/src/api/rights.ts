/** What a person may do at all: the server decides where. */
import type { GrantView } from './types';

/** Whether somebody may launch, and launch again, anywhere. */
export function mayOperate(grants: readonly GrantView[]): boolean {
  return grants.some(({ role }) => role === 'operator' || role === 'admin');
}
