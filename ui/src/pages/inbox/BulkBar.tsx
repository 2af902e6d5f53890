import { Button, Group, List, Modal, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { sendMany } from '../../answer/send';
import type { AnswerResult, WaitingView } from '../../api/types';

type Props = { selected: ReadonlyMap<string, WaitingView>; approvals: WaitingView[]; onSelect: (views: WaitingView[]) => void };

/** Approve or reject many at once, with one comment; each has its own result. */
export function BulkBar({ selected, approvals, onSelect }: Props) {
  const queries = useQueryClient();
  const [comment, setComment] = useState('');
  const sending = useMutation({
    mutationFn: (value: boolean) => sendMany([...selected.values()], { value, comment }),
    onSuccess: () => { onSelect([]); setComment(''); },
    onSettled: () => queries.invalidateQueries({ queryKey: ['inbox'] }),
  });
  const many = selected.size;
  return (
    <>
      {many > 0 && (
        <Group className="bulk card" gap="sm" role="region" aria-label="For all that are selected">
          <Text fw={600}>{many} selected</Text>
          <TextInput aria-label="Comment for all" placeholder="Comment for all (optional)" value={comment} onChange={(event) => setComment(event.currentTarget.value)} flex={1} miw={180} />
          <Button className="approve" loading={sending.isPending} onClick={() => sending.mutate(true)}>Approve {many}</Button>
          <Button variant="default" className="reject" loading={sending.isPending} onClick={() => sending.mutate(false)}>Reject {many}</Button>
          {many < approvals.length && <Button variant="subtle" onClick={() => onSelect(approvals)}>Select all {approvals.length} shown</Button>}
          <Button variant="subtle" onClick={() => onSelect([])}>Clear</Button>
          {sending.error && <Text c="var(--mantine-color-error)" role="alert">Not sent: {sending.error.message}</Text>}
        </Group>
      )}
      <Results results={sending.data} onClose={() => sending.reset()} />
    </>
  );
}

function Results({ results, onClose }: { results: AnswerResult[] | undefined; onClose: () => void }) {
  const taken = results?.filter((each) => each.status === 200) ?? [];
  const refused = results?.filter((each) => each.status !== 200) ?? [];
  return (
    <Modal opened={results !== undefined} onClose={onClose} title={`${taken.length} of ${results?.length ?? 0} taken`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {refused.length > 0 && <Text fw={600} mb={4}>Not taken</Text>}
      <List size="sm" spacing={4}>
        {refused.map((each) => <List.Item key={`${each.execution}:${each.signal}`}><b>{each.signal}</b> of {each.execution}: {String(each.problem?.detail ?? each.status)}</List.Item>)}
      </List>
      {taken.length > 0 && (
        <details open={refused.length === 0 && taken.length <= 20}>
          <summary>Taken</summary>
          <List size="sm">{taken.map((each) => <List.Item key={`${each.execution}:${each.signal}`}>{each.signal} of {each.execution}</List.Item>)}</List>
        </details>
      )}
      <Button mt="md" onClick={onClose} data-autofocus>Done</Button>
    </Modal>
  );
}
