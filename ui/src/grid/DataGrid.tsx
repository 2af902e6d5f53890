/** A table of any size: a toolbar, the cells, and what is on this page. */
import { Button, Loader, Text } from '@mantine/core';
import { useId, useRef, useState } from 'react';
import { Cells } from './Cells';
import { count } from '../show/numbers';
import { full } from './figures';
import './grid.css';
import { ProfileCard } from './ProfileCard';
import { Toolbar } from './Toolbar';
import { useGrid, type Chosen } from './useGrid';
import { useWholeCell, type CellAt } from './useWholeCell';
import type { Source } from './model';

type Opened = { position: number; left: number; right: number; top: number };

export function DataGrid({ source, label = 'Table' }: { source: Source; label?: string }) {
  const chosen = useGrid(source);
  const root = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<Opened>();
  const [at, setAt] = useState<CellAt>();
  const status = useId();
  const { page, error } = chosen;
  const open = (position: number, anchor: HTMLElement) => {
    const around = root.current?.getBoundingClientRect();
    const box = anchor.getBoundingClientRect();
    if (!around) return;
    setOpened((now) =>
      now?.position === position
        ? undefined
        : { position, left: box.left - around.left, right: box.right - around.left, top: box.bottom - around.top },
    );
  };
  const column = opened && source.columns[opened.position];
  const profile = opened && chosen.profiles.get(opened.position);
  if (source.total === 0)
    return <Text c="dimmed">A table without rows: {source.columns.map((each) => each.name).join(', ')}</Text>;
  return (
    <div className="gd" ref={root}>
      <Toolbar source={source} chosen={chosen} root={root} />
      {error && (
        <Text size="sm" c="red" role="alert" px={12} py={4}>
          {error.message}
        </Text>
      )}
      {page ? (
        <Cells chosen={chosen} page={page} label={label} describedBy={status} onOpen={open} onFocus={setAt} />
      ) : (
        !error && <Loader size="sm" m={12} aria-label="Loading the table" />
      )}
      <Foot source={source} chosen={chosen} at={at} status={status} />
      {column && profile && opened && (
        <ProfileCard
          column={column}
          profile={profile}
          chosen={chosen}
          total={source.total}
          place={opened}
          onClose={() => setOpened(undefined)}
        />
      )}
    </div>
  );
}

type FootProps = { source: Source; chosen: Chosen; at: CellAt | undefined; status: string };

function Foot({ source, chosen, at, status }: FootProps) {
  const { page, query } = chosen;
  const value = useWholeCell(source, chosen, at);
  if (!page) return null;
  const { offset, limit, sort } = query;
  const last = offset + page.rows.length;
  const pages = Math.max(1, Math.ceil(page.matching / limit));
  const now = Math.floor(offset / limit) + 1;
  const isFiltered = page.matching !== source.total;
  const descending = sort.startsWith('-') && !source.columns.some((each) => each.name === sort);
  return (
    <>
      {at && value !== undefined && (
        <div className="gd-whole" aria-live="off">
          <span className="dim">{at.name}</span>{' '}
          <span className="gd-value" dir="auto">
            {value === null ? 'missing' : full(value)}
          </span>
        </div>
      )}
      <div className="gd-foot">
        <span id={status} role="status">
          {page.matching === 0 ? (
            'No row matches'
          ) : (
            <>
              Rows <b>{count(offset + 1)}</b> to <b>{count(last)}</b> of <b>{count(page.matching)}</b>
            </>
          )}
          {isFiltered && ` that match, of ${count(source.total)}`}
        </span>
        {pages > 1 && (
          <span className="gd-pages">
            <Button
              size="compact-xs"
              variant="subtle"
              disabled={now === 1}
              aria-label="Previous rows"
              onClick={() => chosen.turn(offset - limit)}
            >
              ‹
            </Button>
            <span className="num">
              {count(now)} / {count(pages)}
            </span>
            <Button
              size="compact-xs"
              variant="subtle"
              disabled={now >= pages}
              aria-label="Next rows"
              onClick={() => chosen.turn(offset + limit)}
            >
              ›
            </Button>
          </span>
        )}
        <span className="gd-grow" />
        {sort !== '' && (
          <span>
            Sorted by <b dir="auto">{descending ? sort.slice(1) : sort}</b>, {descending ? 'largest' : 'smallest'} first
          </span>
        )}
        {source.digest && (
          <span className="gd-digest" title={`SHA-256 ${source.digest}`}>
            sha256 {source.digest.slice(0, 4)}…{source.digest.slice(-4)}
          </span>
        )}
      </div>
    </>
  );
}
