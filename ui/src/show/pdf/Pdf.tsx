/** A PDF, one page at a time: only the bytes of what is looked at are fetched, and only what is in sight is drawn. */
import { ActionIcon, Button, Loader, NumberInput, Text, VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { IconChevron } from '../../app/icons';
import { count } from '../numbers';
import { NotHere, type ViewerProps } from '../parts';
import { part, useCut, useEverything, useUnseen } from '../whole';
import { LARGEST, usePdf, type Opened } from './document';
import { Page } from './Page';
import './pdf.css';

export function Pdf({ digest, name, size }: ViewerProps) {
  const { pdf, why } = usePdf(digest, size);
  if (size > LARGEST) return <NotHere name={name}>A document of this size is not shown here.</NotHere>;
  if (why !== undefined) return <NotHere name={name}>{why}</NotHere>;
  if (pdf === undefined) return <Opening name={name} />;
  return <Pages pdf={pdf} name={name} />;
}

function Opening({ name }: { name: string }) {
  useUnseen(true, name);
  return <Loader size="sm" aria-label="Loading the document" />;
}

const STEPS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];

function Pages({ pdf, name }: { pdf: Opened; name: string }) {
  const many = pdf.numPages;
  const everything = useEverything();
  const [at, setAt] = useState(1);
  const [zoom, setZoom] = useState(1);
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set([1]));
  const view = useRef<HTMLDivElement>(null);
  const width = useWidth(view);
  const shown = everything ? many : seen.size;
  useCut(shown < many, part(shown, many, 'pages'));
  const go = (to: number) => {
    if (to < 1 || to > many) return;
    setAt(to);
    setSeen((now) => new Set(now).add(to));
    if (everything) view.current?.children[to - 1]?.scrollIntoView({ block: 'nearest' });
    else view.current?.scrollTo({ top: 0 });
  };
  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== view.current) return;
    const by = KEYS[event.key];
    if (by === undefined || ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && zoom > 1)) return;
    go(by === Infinity ? many : by === -Infinity ? 1 : at + by);
    event.preventDefault();
    event.stopPropagation();
  };
  const step = (by: 1 | -1) => {
    const next = by > 0 ? STEPS.find((each) => each > zoom) : STEPS.filter((each) => each < zoom).at(-1);
    if (next !== undefined) setZoom(next);
  };
  return (
    <section className="pdf viewer" aria-label={`Document ${name}`} onKeyDown={press}>
      <div className="pdf-tools">
        <Turn label="Previous page" isBack disabled={at === 1} onClick={() => go(at - 1)} />
        <span className="pdf-at">
          Page{' '}
          <NumberInput
            className="pdf-number"
            size="xs"
            hideControls
            aria-label="Page"
            value={at}
            min={1}
            max={many}
            allowDecimal={false}
            allowNegative={false}
            onChange={(value) => typeof value === 'number' && go(value)}
          />{' '}
          of {count(many)}
        </span>
        <Turn label="Next page" disabled={at === many} onClick={() => go(at + 1)} />
        <VisuallyHidden role="status">
          Page {count(at)} of {count(many)}
        </VisuallyHidden>
        <span className="pdf-grow" />
        <span className="pdf-zoom">
          <ActionIcon
            variant="default"
            size={28}
            aria-label="Smaller"
            aria-disabled={zoom <= (STEPS[0] ?? 0)}
            onClick={() => step(-1)}
          >
            −
          </ActionIcon>
          <Button
            size="compact-sm"
            variant="default"
            className="num"
            onClick={() => setZoom(1)}
            aria-label={`Fit the width; now ${Math.round(zoom * 100)} percent of it`}
          >
            {zoom === 1 ? 'Fit' : `${Math.round(zoom * 100)} %`}
          </Button>
          <ActionIcon
            variant="default"
            size={28}
            aria-label="Larger"
            aria-disabled={zoom >= (STEPS.at(-1) ?? 0)}
            onClick={() => step(1)}
          >
            +
          </ActionIcon>
        </span>
      </div>
      <div className="pdf-view" ref={view} tabIndex={0} role="group" aria-label={`Page ${at} of ${name}`}>
        {width > 0 &&
          (everything ? (
            Array.from({ length: many }, (_, page) => (
              <Page key={page} pdf={pdf} number={page + 1} width={width * zoom} isLate />
            ))
          ) : (
            <Page key={at} pdf={pdf} number={at} width={width * zoom} isLate={false} />
          ))}
      </div>
      <Text size="xs" c="dimmed" className="pdf-hint">
        {many > 1 && 'Page Up and Page Down turn the pages.'}
      </Text>
    </section>
  );
}

const KEYS: Record<string, number> = {
  PageDown: 1,
  PageUp: -1,
  ArrowRight: 1,
  ArrowLeft: -1,
  Home: -Infinity,
  End: Infinity,
};

type TurnProps = { label: string; isBack?: boolean; disabled: boolean; onClick: () => void };

function Turn({ label, isBack = false, disabled, onClick }: TurnProps) {
  return (
    <ActionIcon variant="default" size={28} aria-label={label} aria-disabled={disabled} onClick={onClick}>
      <IconChevron size={16} className={isBack ? 'pdf-turned' : undefined} />
    </ActionIcon>
  );
}

/** The width of the place, in steps: a scroll bar that comes or goes must not draw everything again. */
const STEP_PX = 20;
const PAD_PX = 2;

function useWidth(place: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!place.current) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      const found = (entry?.contentRect.width ?? 0) - PAD_PX;
      setWidth((now) => (Math.abs(found - now) < STEP_PX && found >= now ? now : found));
    });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [place]);
  return width;
}
