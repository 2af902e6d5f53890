/** What the server says of a question to one person. */
import type { LeadView, WaitingView } from '../api/types';

export type Asked = WaitingView;

export type Decides = 'approve' | 'reject' | 'answer' | 'timeout';

/** What a decision, or silence, leads to. */
export function leadOf(view: Pick<Asked, 'leads'>, decision: Decides): LeadView | undefined {
  return view.leads.find((each) => each.decision === decision);
}

/** What people call it. */
export function titleOf(view: Pick<WaitingView, 'title' | 'name'>): string {
  return view.title || view.name;
}
