/** What stands beside the buttons: what is not shown, and what the buttons do while the server is away. */
import { Anchor, Checkbox } from '@mantine/core';
import { IconInfo } from './icons';
import { useNotShown } from '../show/whole';
import { dueWords } from './due';
import type { Look } from './tabs';
import type { Asked } from './view';

/** More parts than this are counted, not named. */
const NAMED = 2;

/** What somebody who decides now has not seen. `unopened` are tabs with what is decided on. */
export function NotShown({ unopened, onOpen }: { unopened: Look[]; onOpen: (key: string) => void }) {
  const { parts, showEverything } = useNotShown();
  const [first] = unopened;
  if (parts.length === 0 && first === undefined) return null;
  const unseen = [...new Set(parts.filter((each) => each.unseen).map((each) => each.said))];
  const cut = parts.filter((each) => !each.unseen);
  const said = [...new Set(cut.map((each) => each.said).filter(Boolean))];
  const folded = cut.filter((each) => each.said === '').length;
  const named = said.slice(0, NAMED);
  const rest = said.length - named.length;
  if (rest > 0) named.push(`${rest} more part${rest === 1 ? '' : 's'} cut`);
  if (folded > 0) named.push(`${folded} part${folded === 1 ? '' : 's'} folded`);
  return (
    <p className="an-unseen" role="note">
      <IconInfo size={14} className="soon" />
      <span>
        {named.length > 0 && (
          <>
            You decide on all of it. {said.length > 0 ? 'Shown: ' : 'Not shown: '}
            <b>{named.join(', ')}</b>.{' '}
            <Anchor component="button" type="button" inherit underline="always" onClick={showEverything}>
              Show everything
            </Anchor>{' '}
          </>
        )}
        {unseen.length > 0 && (
          <>
            Not seen:{' '}
            <b dir="auto">
              {unseen.slice(0, NAMED).join(', ')}
              {unseen.length > NAMED && ` and ${unseen.length - NAMED} more`}
            </b>
            .{' '}
          </>
        )}
        {first && (
          <>
            Not opened: <b dir="auto">{unopened.map((each) => each.label).join(', ')}</b>.{' '}
            <Anchor component="button" type="button" inherit underline="always" onClick={() => onOpen(first.key)}>
              Open
            </Anchor>
          </>
        )}
      </span>
    </p>
  );
}

type LaterProps = { view: Asked; checked: boolean; onChange: (on: boolean) => void };

/** Whether what is pressed while the server is away goes out once it is back. */
export function SendLater({ view, checked, onChange }: LaterProps) {
  const until = view.due === null ? '' : `, and until ${dueWords(new Date(view.due), new Date())}`;
  return (
    <Checkbox
      className="an-later"
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
      label="Send by itself when the server is back"
      description={`Only if the question still waits unchanged${until}, and while this page is open. You are told either way.`}
    />
  );
}
