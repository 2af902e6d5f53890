/** What there is to look at before a decision, as tabs: first what the gate asks about, then what stands beside it. */
import { Loader, Text } from '@mantine/core';
import { lazy, Suspense, type ReactNode } from 'react';
import { isObject, type Json } from '../api/json';
import type { BackgroundView } from '../api/types';
import { bytes } from '../show/numbers';
import { later } from '../app/later';
import { pairsOf, type Side } from '../diff/texts';
import { cutParts, type Cut } from '../show/cut';
import { Deck } from '../show/Deck';
import { Raw } from '../show/Raw';
import type { Typed } from '../show/typed';
import { Value } from '../show/Value';
import { Inputs, Outputs } from './Background';
import { extent, needsRoom } from './evidence';
import type { Earlier } from './earlier';
import type { Asked } from './view';

const Compare = lazy(later(() => import('../diff/Compare').then((module) => ({ default: module.Compare }))));

/** One thing to look at. What is `decided` on is there from the start, the rest once it is opened; what is `tall` may be folded. */
export type Look = { key: string; label: string; count: string; decided: boolean; tall: boolean; body: ReactNode };

/** More shown values than this share a tab. */
const MOST_TABS = 3;

const NOTHING: BackgroundView = { before: [], inputs: 0 };

/** `earlier` is the same question in the round before. */
export function looksOf(view: Asked, earlier?: Earlier): Look[] {
  const { before, inputs } = view.background ?? NOTHING;
  const looks: Look[] = [];
  const cut = cutParts(view);
  const shown = Object.entries(view.show);
  // The nearest first.
  const reports = before.filter(({ deck }) => deck);
  // One report stands below what is short: neither is looked for.
  const [only] = reports;
  const below = only && reports.length === 1 && !needsRoom(view.value) && view.value !== undefined ? only : undefined;
  // What is short stands together, so that nobody has to look for it.
  const isShort = !needsRoom(view.value);
  const [beside, apart] = [
    shown.filter(([, each]) => isShort && !needsRoom(each)),
    shown.filter(([, each]) => !isShort || needsRoom(each)),
  ];
  const hasSubject = view.value !== undefined || cut.some(({ part }) => part === 'value');
  if (hasSubject || beside.length > 0)
    looks.push({
      key: 'subject',
      label: view.kind === 'approve' ? 'To approve' : 'Shown values',
      count: hasSubject ? extent(view.value) : beside.length.toLocaleString(),
      decided: true,
      tall: !isShort,
      body: (
        <>
          {view.value !== undefined && (
            <section aria-label="What to approve" className="subject">
              <Raw value={view.value} name="the value">
                <Value value={view.value} type={typed(view.value_schema)} />
              </Raw>
            </section>
          )}
          {cut
            .filter(({ part }) => part === 'value')
            .map((each) => (
              <Beginning key={each.part} cut={each} />
            ))}
          {beside.map(([name, value]) => (
            <Shown key={name} name={name} value={value} isHeaded />
          ))}
          {below && <Deck execution={view.execution} node={below.node} name={below.name} />}
        </>
      ),
    });
  const pairs = pairsOf(sidesOf(view), earlier ? sidesOf(earlier.view, `, round ${earlier.round}`) : []);
  if (pairs.length > 0)
    looks.push({
      key: 'changes',
      label: 'Changes',
      count: '',
      decided: false,
      tall: true,
      body: (
        <Suspense fallback={<Loader size="sm" aria-label="Comparing" />}>
          <Compare pairs={pairs} />
        </Suspense>
      ),
    });
  for (const { node, name } of below ? [] : reports)
    looks.push({
      key: `report ${node}`,
      label: reports.length === 1 ? 'Report' : `Report of ${name}`,
      count: '',
      decided: false,
      tall: true,
      body: <Deck execution={view.execution} node={node} name={name} />,
    });
  const others = cut.filter(({ part }) => part !== 'value');
  if (apart.length > MOST_TABS)
    looks.push({
      key: 'shown',
      label: 'Shown values',
      count: apart.length.toLocaleString(),
      decided: true,
      tall: true,
      body: apart.map(([name, value]) => <Shown key={name} name={name} value={value} isHeaded />),
    });
  else
    for (const [name, value] of apart)
      looks.push({
        key: `shown ${name}`,
        label: name,
        count: extent(value),
        decided: true,
        tall: true,
        body: <Shown name={name} value={value} />,
      });
  for (const each of others)
    looks.push({
      key: `cut ${each.part}`,
      label: each.label,
      count: bytes(each.size),
      decided: true,
      tall: true,
      body: <Beginning cut={each} />,
    });
  const outputs = before.filter(({ size }) => size > 0);
  if (outputs.length > 0)
    looks.push({
      key: 'before',
      label: 'What came before',
      count: outputs.length.toLocaleString(),
      decided: false,
      tall: true,
      body: <Outputs view={view} />,
    });
  if (inputs > 0)
    looks.push({
      key: 'inputs',
      label: 'Inputs',
      count: inputs.toLocaleString(),
      decided: false,
      tall: true,
      body: <Inputs view={view} />,
    });
  return looks;
}

/** What of a question can be compared: what it asks about, and what it shows. */
function sidesOf(view: Asked, round = ''): Side[] {
  const subject = view.value === undefined ? [] : [{ key: 'value', label: `To approve${round}`, value: view.value }];
  const shown = Object.entries(view.show).map(([name, value]) => ({
    key: `show ${name}`,
    label: `${name}${round}`,
    value,
  }));
  return [...subject, ...shown];
}

function typed(schema: Json): Typed | undefined {
  return isObject(schema) ? { schema, root: schema } : undefined;
}

type ShownProps = { name: string; value: Json; isHeaded?: boolean };

function Shown({ name, value, isHeaded = false }: ShownProps) {
  return (
    <section aria-label={name}>
      {isHeaded && (
        <Text size="sm" fw={600} mb={4} dir="auto">
          {name}
        </Text>
      )}
      <div className="subject">
        <Raw value={value} name={name}>
          <Value value={value} />
        </Raw>
      </div>
    </section>
  );
}

/** Characters shown of a value while the whole is loading. */
const BEGINNING = 300;

/** The beginning of a value, until the whole has loaded. */
function Beginning({ cut }: { cut: Cut }) {
  const { label, text, size } = cut;
  return (
    <section aria-label={label || 'What to approve'}>
      <div className="subject text">{text.slice(0, BEGINNING)}…</div>
      <Text size="sm" c="dimmed">
        Only the beginning is shown; the whole is {bytes(size)}.
      </Text>
    </section>
  );
}
