/** A question as the server shows it to one person, and what it says of the gate. */
import type { AnswerView, WaitingView } from '../api/types';

/** A node that comes next. */
export type NextNode = { node: string; name: string; kind: string };

/** What a decision, or silence, leads to: `text` is a whole sentence or clause from the plan. */
export type Lead = {
  decision: 'approve' | 'reject' | 'answer' | 'timeout';
  next: NextNode[];
  ends: '' | 'fails' | 'succeeds' | 'continues';
  text: string;
};

/** `may` is whether the person may answer it, and `who_may` who may if not; `leads` is told of single questions only. */
export type Asked = WaitingView & {
  may?: boolean;
  who_may?: string;
  launched_by?: string;
  leads?: Lead[];
  /** Of one that is over: how its node ended, and the answer. */
  phase?: string;
  answer?: AnswerView | null;
};

export function leadOf(view: Asked, decision: Lead['decision']): Lead | undefined {
  return view.leads?.find((each) => each.decision === decision);
}

/** What people call it. */
export function titleOf(view: Pick<WaitingView, 'title' | 'name'>): string {
  return view.title || view.name;
}
