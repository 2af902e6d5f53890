/** What a recovery keeps, runs and asks, in words. */
import type { RecoveryNode, RecoveryView } from '../../api/types';

/** More nodes than these are counted, not named. */
const MOST = 10;

const GATES = new Set(['input', 'approve']);

type Part = { what: string; is: (node: RecoveryNode) => boolean };

const PARTS: Part[] = [
  { what: 'Results are kept', is: ({ becomes, kind }) => becomes === 'kept' && !GATES.has(kind) },
  { what: 'Answers are kept', is: ({ becomes, kind }) => becomes === 'kept' && kind === 'input' },
  {
    what: 'Approvals are kept, and recorded as kept',
    is: ({ becomes, kind }) => becomes === 'kept' && kind === 'approve',
  },
  { what: 'Kept if what they take comes out as it was', is: ({ becomes }) => becomes === 'compared' },
  {
    what: 'Run again, with the same idempotency key if their inputs are the same',
    is: ({ becomes, node }) => becomes === 'runs' && node !== '',
  },
  { what: 'Run for the first time', is: ({ becomes, node }) => becomes === 'runs' && node === '' },
  { what: 'Asked for again', is: ({ becomes, who }) => becomes === 'asked' && who !== '' },
  { what: 'Asked', is: ({ becomes, who }) => becomes === 'asked' && who === '' },
  { what: 'No longer used', is: ({ becomes }) => becomes === 'unused' },
];

/** Return what becomes of the nodes, in groups, with those of each by name. */
export function parts({ nodes }: RecoveryView): { what: string; names: string }[] {
  return PARTS.flatMap(({ what, is }) => {
    const found = nodes.filter(is).map(named);
    if (found.length === 0) return [];
    const more = found.length > MOST ? ` and ${(found.length - MOST).toLocaleString()} more` : '';
    return [{ what, names: found.slice(0, MOST).join(', ') + more }];
  });
}

function named({ name, who, why }: RecoveryNode): string {
  const said = [who && `by ${who}`, why].filter(Boolean).join(', ');
  return said ? `${name} (${said})` : name;
}

/** Return what speaks against it, a sentence each. */
export function lost({ nodes, notes }: RecoveryView): string[] {
  const changed = nodes.filter((each) => each.changed).map((each) => each.name);
  const kept = changed.length > 0 ? [`Kept although the code or the text has changed: ${changed.join(', ')}.`] : [];
  return [
    ...kept,
    ...notes.map((each) => `${each.charAt(0).toUpperCase()}${each.slice(1)}${/[.!?]$/.test(each) ? '' : '.'}`),
  ];
}
