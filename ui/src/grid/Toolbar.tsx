/** What is done to all rows of a table: search, filters, columns, profiles, a file of what matches, and the whole screen. */
import { ActionIcon, Button, Checkbox, Popover, TextInput } from '@mantine/core';
import { useRef, useState, type RefObject } from 'react';
import { IconDownload, IconExpand, IconPlus, IconRows, IconSearch, IconX } from '../app/icons';
import { count } from '../show/numbers';
import { cell } from './figures';
import { csv } from './csv';
import { FilterForm } from './FilterForm';
import { COLUMNS, OPS, type Filter, type Source } from './model';
import type { Chosen } from './useGrid';

type Props = { source: Source; chosen: Chosen; root: RefObject<HTMLDivElement | null> };

export function Toolbar({ source, chosen, root }: Props) {
  const { query, hasProfiles } = chosen;
  const [adding, setAdding] = useState(false);
  return (
    <div className="gd-tools">
      <TextInput
        size="xs"
        type="search"
        className="gd-search"
        aria-label="Search all rows"
        placeholder="Search all rows"
        leftSection={<IconSearch size={14} />}
        value={query.search}
        onChange={(event) => chosen.search(event.currentTarget.value)}
      />
      {query.filters.map((filter, at) => (
        <FilterChip
          key={`${filter.column} ${filter.op}`}
          source={source}
          filter={filter}
          onRemove={() => chosen.filter(query.filters.filter((_, other) => other !== at))}
        />
      ))}
      <Popover opened={adding} onChange={setAdding} withinPortal={false} position="bottom-start" trapFocus returnFocus>
        <Popover.Target>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            aria-expanded={adding}
            onClick={() => setAdding((now) => !now)}
          >
            Filter
          </Button>
        </Popover.Target>
        <Popover.Dropdown data-mantine-stop-propagation>
          <FilterForm
            columns={source.columns}
            onAdd={(filter) => {
              chosen.filter([...query.filters, filter]);
              setAdding(false);
            }}
          />
        </Popover.Dropdown>
      </Popover>
      <span className="gd-grow" />
      <ColumnChooser source={source} chosen={chosen} />
      <Button
        size="xs"
        variant={hasProfiles ? 'light' : 'default'}
        aria-pressed={hasProfiles}
        onClick={chosen.toggleProfiles}
      >
        Profiles
      </Button>
      <Export source={source} chosen={chosen} />
      {document.fullscreenEnabled && (
        <ActionIcon
          className="gd-full"
          variant="subtle"
          size={28}
          aria-label="Full screen"
          onClick={() =>
            void (document.fullscreenElement ? document.exitFullscreen() : root.current?.requestFullscreen())
          }
        >
          <IconExpand size={16} />
        </ActionIcon>
      )}
    </div>
  );
}

function FilterChip({ source, filter, onRemove }: { source: Source; filter: Filter; onRemove: () => void }) {
  const kind = source.columns.find((each) => each.name === filter.column)?.kind ?? 'text';
  const value = filter.value === null ? '' : cell(filter.value, kind, false);
  return (
    <span className="gd-chip">
      <span dir="auto">{filter.column}</span> {OPS[filter.op]} {value && <b dir="auto">{value}</b>}
      <button type="button" aria-label={`Remove the filter on ${filter.column}`} onClick={onRemove}>
        <IconX size={12} />
      </button>
    </span>
  );
}

/** More columns than this are found by their names. */
const LISTED = 200;

function ColumnChooser({ source, chosen }: { source: Source; chosen: Chosen }) {
  const [text, setText] = useState('');
  const { columns } = chosen.query;
  const shown = new Set(columns);
  const found = source.columns.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  const all = source.columns.map(({ position }) => position);
  const toggle = (position: number) => {
    const next = all.filter((each) => (each === position ? !shown.has(each) : shown.has(each)));
    if (next.length > 0) chosen.show(next);
  };
  return (
    <Popover withinPortal={false} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconRows size={14} />}>
          Columns{' '}
          {columns.length < all.length && (
            <b>
              &nbsp;{count(columns.length)} of {count(all.length)}
            </b>
          )}
        </Button>
      </Popover.Target>
      <Popover.Dropdown data-mantine-stop-propagation className="gd-columns">
        <TextInput
          size="xs"
          type="search"
          aria-label="Find a column"
          placeholder="Find a column"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div className="gd-list">
          {found.slice(0, LISTED).map(({ name, position }) => (
            <Checkbox
              key={position}
              size="xs"
              label={<span dir="auto">{name || 'no name'}</span>}
              checked={shown.has(position)}
              onChange={() => toggle(position)}
            />
          ))}
          {found.length > LISTED && <span className="dim">{count(found.length - LISTED)} more: type a name</span>}
        </div>
        <div className="gd-card-foot">
          <Button size="compact-xs" variant="default" onClick={() => chosen.show(all)}>
            All {count(all.length)}
          </Button>
          {all.length > COLUMNS && (
            <Button size="compact-xs" variant="default" onClick={() => chosen.show(all.slice(0, COLUMNS))}>
              The first {COLUMNS}
            </Button>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** A file of the rows that match. */
function Export({ source, chosen }: { source: Source; chosen: Chosen }) {
  const [said, setSaid] = useState('');
  const stop = useRef<AbortController>(undefined);
  const start = () => {
    if (stop.current) {
      stop.current.abort();
      return;
    }
    const under = (stop.current = new AbortController());
    csv(source, chosen.query, under.signal, (done, all) => setSaid(`${Math.floor((done / Math.max(1, all)) * 100)}%`))
      .then((blob) => {
        save(blob, 'rows.csv');
        setSaid('');
      })
      .catch(() => setSaid(under.signal.aborted ? '' : 'failed'))
      .finally(() => {
        stop.current = undefined;
      });
  };
  return (
    <Button
      size="xs"
      variant="subtle"
      leftSection={<IconDownload size={14} />}
      title={said ? 'Press again to stop' : 'The rows that match, with the columns shown'}
      onClick={start}
    >
      CSV {said}
    </Button>
  );
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
