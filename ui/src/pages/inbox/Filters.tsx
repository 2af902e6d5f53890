import { Group, NativeSelect, Switch, TextInput } from '@mantine/core';
import type { WaitingView } from '../../api/types';
import { IconSearch } from '../../app/icons';

export type Filter = { text: string; kind: '' | 'input' | 'approve'; workflow: string; soon: boolean };

export const NO_FILTER: Filter = { text: '', kind: '', workflow: '', soon: false };

const KINDS = [
  { value: '', label: 'Everything' },
  { value: 'approve', label: 'Approvals' },
  { value: 'input', label: 'Questions' },
];

type Props = {
  filter: Filter;
  onChange: (filter: Filter) => void;
  onDown: () => void;
  items: WaitingView[];
};

/** `onDown`: from the search to what was found. */
export function Filters({ filter, onChange, onDown, items }: Props) {
  const press = (event: React.KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape' && filter.text === '') event.currentTarget.blur();
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    onDown();
  };
  const workflows = [
    ...new Set([...items.map((each) => each.workflow), ...(filter.workflow ? [filter.workflow] : [])]),
  ].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  return (
    <Group gap="sm" className="filters" role="search">
      <TextInput
        data-search
        aria-label="Search"
        placeholder="Search"
        type="search"
        leftSection={<IconSearch size={16} />}
        value={filter.text}
        onKeyDown={press}
        onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })}
        className="search"
      />
      <NativeSelect
        aria-label="Kind"
        data={KINDS}
        value={filter.kind}
        onChange={(event) => onChange({ ...filter, kind: event.currentTarget.value as Filter['kind'] })}
      />
      <NativeSelect
        aria-label="Workflow"
        data={[{ value: '', label: 'All workflows' }, ...workflows]}
        value={filter.workflow}
        onChange={(event) => onChange({ ...filter, workflow: event.currentTarget.value })}
      />
      <Switch
        label="Within an hour"
        checked={filter.soon}
        onChange={(event) => onChange({ ...filter, soon: event.currentTarget.checked })}
      />
    </Group>
  );
}
