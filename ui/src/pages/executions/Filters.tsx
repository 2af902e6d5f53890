import { Chip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Pick } from '../../app/Pick';
import type { ExecutionsSearch } from '../../app/router';
import { SearchField } from '../../app/SearchField';
import { PhaseIcon, phaseWord } from '../../graph/phases';
import { SPANS, workflowsQuery } from '../execution/queries';
import { address, asked, looksOf, STATES } from './states';

const WHEN = Object.entries(SPANS).map(([value, { label }]) => ({ value, label }));

/** Which executions are shown. All of it stands in the address, so that it can be sent to somebody. */
export function Filters({
  search,
  onChange,
}: {
  search: ExecutionsSearch;
  onChange: (change: ExecutionsSearch) => void;
}) {
  const { text = '', workflow = '', launched = '' } = search;
  const { data } = useQuery(workflowsQuery);
  const names = [...new Set([...(data?.items.map((each) => each.name) ?? []), ...(workflow ? [workflow] : [])])];
  return (
    <>
      <Chip.Group multiple value={looksOf(asked(search))} onChange={(next) => onChange(address(next))}>
        <div className="filterbar" role="group" aria-label="Phases">
          {STATES.map(({ look }) => (
            <Chip key={look} value={look} size="sm" variant="outline" className={`exs-chip phase-${look}`}>
              <PhaseIcon phase={look} size={14} />
              {phaseWord(look)}
            </Chip>
          ))}
        </div>
      </Chip.Group>
      <div className="filterbar" role="search">
        <SearchField
          label="Search by id or workflow"
          placeholder="Id or workflow"
          text={text}
          onSettled={(next) => onChange({ text: next })}
        />
        <Pick
          label="Workflow"
          any="any"
          choices={names.map((each) => ({ value: each, label: each }))}
          value={workflow}
          onChange={(next) => onChange({ workflow: next })}
        />
        <Pick
          label="Launched"
          any="at any time"
          choices={WHEN}
          value={launched}
          onChange={(next) => onChange({ launched: next })}
        />
      </div>
    </>
  );
}
