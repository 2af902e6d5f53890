/** What each decision does, in one line each. */
import { Sentence } from './Sentence';
import type { Asked } from './view';

const WORDS: Record<string, string> = { approve: 'Approve', reject: 'Reject', answer: 'Answer' };

export function Leads({ view }: { view: Asked }) {
  const leads = view.leads.filter(({ decision, text }) => text && WORDS[decision]);
  if (leads.length === 0) return null;
  return (
    <div className="an-leads">
      {leads.map(({ decision, text }) => (
        <p key={decision}>
          <b>{WORDS[decision]}:</b> <Sentence text={text} />.
        </p>
      ))}
    </div>
  );
}
