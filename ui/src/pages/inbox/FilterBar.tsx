import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { InboxSummary } from '../../api/types';
import { IconRows } from '../../app/icons';
import { Pick } from '../../app/Pick';
import { SearchField } from '../../app/SearchField';
import { GROUPS } from './groups';
import { isFiltered, type InboxSearch } from './search';

const KINDS = [
  { value: 'approve', label: 'Approvals' },
  { value: 'input', label: 'Inputs' },
];
const DUES = Object.entries(GROUPS).map(([value, label]) => ({ value, label }));
const SORTS = [
  { value: '-due', label: 'due, latest first' },
  { value: 'opened', label: 'oldest first' },
  { value: '-opened', label: 'newest first' },
  { value: 'title', label: 'title' },
  { value: '-title', label: 'title, from Z' },
];
const FIGURE = /^(-?)figure:(.*)$/s;

type Props = {
  search: InboxSearch;
  summary: InboxSummary | undefined;
  onChange: (change: InboxSearch) => void;
  onDown: () => void;
  dense: boolean;
  onDense: (on: boolean) => void;
};

/** Which questions are shown, and in which order. All of it stands in the address. */
export function FilterBar({ search, summary, onChange, onDown, dense, onDense }: Props) {
  const { workflow = '', kind = '', due = '', project = '', sort = '', q = '' } = search;
  const counted = (tallies: InboxSummary['workflows'] | undefined) =>
    (tallies ?? [])
      .map((each) => ({ value: each.name, label: each.name, count: search.all ? each.count : each.yours }))
      .filter((each) => each.count > 0);
  const projects = counted(summary?.projects);
  const figure = FIGURE.exec(sort);
  const sorts = figure ? [...SORTS, { value: sort, label: `${figure[2]}${figure[1] ? ', descending' : ''}` }] : SORTS;
  const clear = { workflow: '', kind: '', due: '', project: '', q: '' };
  return (
    <div className="filterbar" role="search">
      <SearchField
        label="Search"
        placeholder="Search titles, prompts, figures"
        text={q}
        onSettled={(next) => onChange({ q: next })}
        onDown={onDown}
      />
      <Pick
        label="Workflow"
        any="any"
        choices={counted(summary?.workflows)}
        value={workflow}
        onChange={(next) => onChange({ workflow: next, ...(figure ? { sort: '' } : {}) })}
      />
      <Pick label="Kind" any="any" choices={KINDS} value={kind} onChange={(next) => onChange({ kind: next })} />
      <Pick label="Due" any="any time" choices={DUES} value={due} onChange={(next) => onChange({ due: next })} />
      {(projects.length > 1 || project) && (
        <Pick
          label="Project"
          any="all"
          choices={projects}
          value={project}
          onChange={(next) => onChange({ project: next })}
        />
      )}
      {isFiltered(search) && (
        <Button variant="subtle" size="xs" onClick={() => onChange(clear)}>
          Clear filters
        </Button>
      )}
      <span className="fill" />
      <Pick
        label="Sort"
        any="due, soonest first"
        choices={sorts}
        value={sort}
        onChange={(next) => onChange({ sort: next })}
      />
      <Button
        className="density"
        variant="default"
        size="xs"
        leftSection={<IconRows size={14} />}
        aria-pressed={dense}
        onClick={() => onDense(!dense)}
      >
        Compact
      </Button>
    </div>
  );
}

/** The two sections: what this person may answer, and all that they may see. */
export function Tabs({ isAll, summary }: { isAll: boolean; summary: InboxSummary | undefined }) {
  const tab = (all: boolean, word: string, count: number | undefined) => (
    <Link
      to="/"
      search={(old: InboxSearch) => {
        const { all: _all, ...rest } = old;
        return all ? { ...rest, all: true } : rest;
      }}
      className={all === isAll ? 'section section-on' : 'section'}
      aria-current={all === isAll ? 'true' : undefined}
      activeProps={{}}
    >
      {word}{' '}
      <span className="num">
        {count === undefined ? '' : `${count.toLocaleString()}${summary?.bounded ? '+' : ''}`}
      </span>
    </Link>
  );
  return (
    <div className="sections" role="group" aria-label="Sections">
      {tab(false, 'Yours to answer', summary?.yours)}
      {tab(true, 'All', summary?.all)}
    </div>
  );
}

const STORED = 'tidegate-density';

/** Whether rows are one line high; a choice of this browser. */
export function useDensity(): [boolean, (dense: boolean) => void] {
  const [dense, setDense] = useState(() => localStorage.getItem(STORED) !== 'comfortable');
  return [
    dense,
    (next) => {
      localStorage.setItem(STORED, next ? 'compact' : 'comfortable');
      setDense(next);
    },
  ];
}
