import { Chip, Group, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { IconSearch } from '../../app/icons';
import type { ExecutionsSearch } from '../../app/router';
import { EXECUTION_PHASES, PhaseIcon, phaseWord } from '../../graph/phases';
import { SPANS, workflowsQuery } from '../execution/queries';

const TYPING_MS = 200;
const WHEN = [
  { value: '', label: 'At any time' },
  ...Object.entries(SPANS).map(([value, { label }]) => ({ value, label })),
];

/** Which executions are shown. All of it stands in the address, so that it can be sent to somebody. */
export function Filters({
  search,
  onChange,
}: {
  search: ExecutionsSearch;
  onChange: (change: ExecutionsSearch) => void;
}) {
  const { phase, text = '', workflow = '', launched = '' } = search;
  const { data } = useQuery(workflowsQuery);
  const names = [...new Set([...(data?.items.map((each) => each.name) ?? []), ...(workflow ? [workflow] : [])])];
  return (
    <Group gap="sm" role="search">
      <Search text={text} onSettled={(next) => onChange({ text: next })} />
      <NativeSelect
        className="exs-select"
        aria-label="Workflow"
        data={[{ value: '', label: 'All workflows' }, ...names]}
        value={workflow}
        onChange={(event) => onChange({ workflow: event.currentTarget.value })}
      />
      <NativeSelect
        aria-label="Launched"
        data={WHEN}
        value={launched}
        onChange={(event) => onChange({ launched: event.currentTarget.value })}
      />
      <Chip.Group
        multiple
        value={phase ? phase.split(',') : []}
        onChange={(next) => onChange({ phase: next.join(',') })}
      >
        <Group gap={6} role="group" aria-label="Phases">
          {EXECUTION_PHASES.map((each) => (
            <Chip key={each} value={each} size="sm" variant="outline" className={`exs-chip phase-${each}`}>
              <PhaseIcon phase={each} size={14} />
              {each === 'WAITING' ? 'Waiting' : phaseWord(each)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Group>
  );
}

/** What is typed counts once it rests; what the address says from elsewhere (back, a link) stands in the field. */
function Search({ text, onSettled }: { text: string; onSettled: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [settled] = useDebouncedValue(typed, TYPING_MS);
  const sent = useRef(text);
  useEffect(() => {
    if (settled === sent.current) return;
    sent.current = settled;
    onSettled(settled);
  }, [settled, onSettled]);
  useEffect(() => {
    if (text === sent.current) return;
    sent.current = text;
    setTyped(text);
  }, [text]);
  return (
    <TextInput
      data-search
      type="search"
      className="exs-search"
      aria-label="Search by id or workflow"
      placeholder="Id or workflow"
      leftSection={<IconSearch size={16} />}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
