import { Group, NativeSelect, Switch, TextInput } from '@mantine/core';
import type { Ref } from 'react';
import type { WaitingView } from '../../api/types';
import { IconSearch } from '../../app/icons';

export type Filter = { text: string; kind: '' | 'input' | 'approve'; workflow: string; soon: boolean };

export const NO_FILTER: Filter = { text: '', kind: '', workflow: '', soon: false };

const KINDS = [
  { value: '', label: 'Everything' },
  { value: 'approve', label: 'Approvals' },
  { value: 'input', label: 'Questions' },
];

export function Filters({ filter, onChange, items, ref }: { filter: Filter; onChange: (filter: Filter) => void; items: WaitingView[]; ref: Ref<HTMLInputElement> }) {
  const workflows = [...new Set([...items.map((each) => each.workflow), ...(filter.workflow ? [filter.workflow] : [])])].sort();
  return (
    <Group gap="sm" className="filters" role="search">
      <TextInput ref={ref} aria-label="Search" placeholder="Search" type="search" leftSection={<IconSearch size={16} />} value={filter.text} onChange={(event) => onChange({ ...filter, text: event.currentTarget.value })} className="search" />
      <NativeSelect aria-label="Kind" data={KINDS} value={filter.kind} onChange={(event) => onChange({ ...filter, kind: event.currentTarget.value as Filter['kind'] })} />
      <NativeSelect aria-label="Workflow" data={[{ value: '', label: 'All workflows' }, ...workflows]} value={filter.workflow} onChange={(event) => onChange({ ...filter, workflow: event.currentTarget.value })} />
      <Switch label="Within an hour" checked={filter.soon} onChange={(event) => onChange({ ...filter, soon: event.currentTarget.checked })} />
    </Group>
  );
}
