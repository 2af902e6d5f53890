/** The left side of the dialog: what is asked, its key figures, and what to look at. */
import { Tabs, Text } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { figureWords } from '../show/numbers';
import { useCut } from '../show/whole';
import type { Look } from './tabs';
import type { Asked } from './view';

const Prose = lazy(() => import('../show/Prose').then((module) => ({ default: module.Prose })));

type Props = {
  view: Asked;
  looks: Look[];
  /** One below the other, because there is little to look at, or no room. */
  isStacked: boolean;
  /** What is tall is a press away, so that the form below is in sight. */
  isFolded: boolean;
  chosen: string | undefined;
  opened: ReadonlySet<string>;
  onOpen: (key: string) => void;
};

export function Evidence({ view, looks, isStacked, isFolded, chosen, opened, onOpen }: Props) {
  return (
    <>
      {view.prompt && (
        <div className="an-prompt" dir="auto">
          <Suspense fallback={<Text>{view.prompt}</Text>}>
            <Prose text={view.prompt} />
          </Suspense>
        </div>
      )}
      <Figures view={view} />
      {isStacked ? (
        <div className="an-look">
          {looks.map((look) => (
            <Stacked key={look.key} look={look} isFolded={isFolded} />
          ))}
        </div>
      ) : (
        <Looks looks={looks} chosen={chosen} opened={opened} onOpen={onOpen} />
      )}
    </>
  );
}

function Figures({ view }: { view: Asked }) {
  // A long text stands among the values; its beginning says little.
  const figures = Object.entries(view.figures).filter(([, value]) => !(typeof value === 'string' && isLong(value)));
  if (figures.length === 0) return null;
  return (
    <dl className="an-figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt dir="auto">{name}</dt>
          <dd dir="auto">{figureWords(value, LONGEST)}</dd>
        </div>
      ))}
    </dl>
  );
}

const LONGEST = 40;
const isLong = (text: string) => text.length > LONGEST || text.endsWith('…');

function Stacked({ look, isFolded }: { look: Look; isFolded: boolean }) {
  const { label, count, decided, tall, body } = look;
  const canFold = !decided || (isFolded && tall);
  const [isOpen, setIsOpen] = useState(!canFold);
  useCut(decided && !isOpen);
  if (!canFold) return <div className="an-stacked">{body}</div>;
  return (
    <details className="an-stacked" open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>
        <span dir="auto">{label}</span> {count && <span className="dim num">{count}</span>}
      </summary>
      {isOpen && <div className="an-indent">{body}</div>}
    </details>
  );
}

type LooksProps = Pick<Props, 'looks' | 'chosen' | 'opened' | 'onOpen'>;

function Looks({ looks, chosen, opened, onOpen }: LooksProps) {
  const [first] = looks;
  if (!first) return null;
  if (looks.length === 1)
    return (
      <section className="an-look" aria-label={first.label} tabIndex={0}>
        {first.body}
      </section>
    );
  const now = looks.find(({ key }) => key === chosen)?.key ?? first.key;
  return (
    <Tabs value={now} onChange={(key) => key !== null && onOpen(key)} className="an-looks" keepMounted>
      <Tabs.List aria-label="What to look at">
        {looks.map(({ key, label, count }) => (
          <Tabs.Tab key={key} value={key}>
            <span dir="auto">{label}</span> {count && <span className="dim num">{count}</span>}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {looks.map(({ key, decided, body }) => (
        <Tabs.Panel key={key} value={key} className="an-look">
          {(decided || key === now || opened.has(key)) && body}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
