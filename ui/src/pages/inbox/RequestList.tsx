import { Checkbox } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';
import { entryKey, taskId } from '../../api/queries';
import type { WaitingView } from '../../api/types';
import { IconAlert, IconCheck, IconHand } from '../../app/icons';
import { brief, bytes } from '../../show/brief';
import { cutParts } from '../../show/cut';
import { DamagedBadge } from '../../show/DamagedBadge';
import { expected } from '../../show/expects';
import { Ago, TimeLeft } from '../../show/time';

export type ListHandle = { move: (by: number) => void; current: () => WaitingView | undefined };

type Props = {
  items: WaitingView[];
  selected: ReadonlyMap<string, WaitingView>;
  onToggle: (view: WaitingView) => void;
  onOpen: (id: string) => void;
  onEnd: () => void;
  ref: Ref<ListHandle>;
};

const ROW_PX = 84;
/** Characters: more than fit on one line, which CSS truncates. */
const LINE = 240;
const FIGURE = 24;

/** The requests, of which only those on the screen are in the page. */
export function RequestList({ items, selected, onToggle, onOpen, onEnd, ref }: Props) {
  const box = useRef<HTMLUListElement>(null);
  const at = useRef(-1);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => ROW_PX,
    overscan: 8,
    scrollMargin: box.current?.offsetTop ?? 0,
    getItemKey: (index) => {
      const item = items[index];
      return item ? entryKey(item) : index;
    },
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= items.length - 10) onEnd();
  }, [last, items.length, onEnd]);

  const focusRow = (index: number) => {
    at.current = index;
    virtual.scrollToIndex(index, { align: 'auto' });
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${index}"] .open`)?.focus());
  };
  useImperativeHandle(ref, () => ({
    move: (by) => focusRow(Math.min(items.length - 1, Math.max(0, at.current + by))),
    current: () => items[at.current],
  }));
  return (
    <ul ref={box} className="requests" style={{ height: virtual.getTotalSize() }} aria-label="Requests">
      {rows.map((row) => {
        const view = items[row.index];
        if (!view) return null;
        return (
          <li
            key={row.key}
            data-index={row.index}
            ref={virtual.measureElement}
            aria-setsize={items.length}
            aria-posinset={row.index + 1}
            onFocus={() => {
              at.current = row.index;
            }}
            className="request"
            style={{ transform: `translateY(${row.start - virtual.options.scrollMargin}px)` }}
          >
            <Request
              view={view}
              isSelected={selected.has(entryKey(view))}
              onToggle={() => onToggle(view)}
              onOpen={() => onOpen(taskId(view))}
            />
          </li>
        );
      })}
    </ul>
  );
}

function Request({
  view,
  isSelected,
  onToggle,
  onOpen,
}: {
  view: WaitingView;
  isSelected: boolean;
  onToggle: () => void;
  onOpen: () => void;
}) {
  const isApproval = view.kind === 'approve';
  const title = view.title || view.name;
  const open = (event: React.MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onOpen();
  };
  return (
    <div className={isSelected ? 'row row-selected' : 'row'}>
      <span className="pick">
        {view.damaged ? (
          <IconAlert className="dim" />
        ) : isApproval ? (
          <Checkbox
            size="md"
            aria-label={`Select ${title} of ${view.execution}`}
            checked={isSelected}
            onChange={onToggle}
          />
        ) : (
          <IconHand className="dim" />
        )}
      </span>
      <a className="open" href={`#/?task=${encodeURIComponent(taskId(view))}`} onClick={open}>
        <span className="what">
          <span className="name">{title}</span>
          {view.damaged && <DamagedBadge />}
          <span className="expects-line">
            {isApproval ? (
              <>
                <IconCheck size={14} /> approve or reject
              </>
            ) : (
              expected(view)
            )}
          </span>
        </span>
        {view.prompt && <span className="prompt">{firstLine(view.prompt)}</span>}
        {view.damaged ? <span className="sentence">{view.damaged}</span> : <Subject view={view} />}
        <span className="from">
          {view.workflow} · {view.execution} · <Ago at={view.opened} />
        </span>
      </a>
      <span className="left">
        <TimeLeft due={view.due} />
      </span>
    </div>
  );
}

/** What the question is about: its figures, its value if small, and the beginning and size of whatever is large. */
function Subject({ view }: { view: WaitingView }) {
  const figures = Object.entries(view.figures);
  return (
    <>
      {figures.length > 0 && (
        <span className="figures">
          {figures.map(([name, value]) => (
            <span key={name}>
              <b>{brief(value, FIGURE)}</b> {name}
            </span>
          ))}
        </span>
      )}
      {view.value !== undefined && (
        <span className="beginning">
          <span className="prompt">{brief(view.value, LINE)}</span>
        </span>
      )}
      {cutParts(view).map(({ part, label, text, size }) => (
        <span key={part} className="beginning">
          {label && <span className="dim">{label}</span>}
          <span className="prompt">{brief(text, LINE)}</span>
          <span className="cut">truncated, {bytes(size)}</span>
        </span>
      ))}
    </>
  );
}

function firstLine(prompt: string): string {
  return (prompt.trim().split('\n')[0] ?? '').replace(/[*_`#>]|\[([^\]]*)\]\([^)]*\)/g, '$1');
}
