/** What a recovery keeps, said before it happens. */
import { Button, Group, List, Loader, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { executionQuery } from '../../api/queries';
import type { ExecutionView, NodeView } from '../../api/types';

/** Return what opens the question whether an execution shall be recovered, and the question itself. */
export function useRecover(id: string, recover: () => void): { open: () => void; dialog: ReactNode } {
  const [isOpen, { open, close }] = useDisclosure();
  const dialog = isOpen && (
    <Recover
      id={id}
      onClose={close}
      onRecover={() => {
        close();
        recover();
      }}
    />
  );
  return { open, dialog };
}

function Recover({ id, onClose, onRecover }: { id: string; onClose: () => void; onRecover: () => void }) {
  const { data, error } = useQuery(executionQuery(id));
  return (
    <Modal opened onClose={onClose} title="Recover this execution?" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        {data ? (
          <Becomes execution={data} />
        ) : error ? (
          <Text role="alert" c="var(--mantine-color-error)">
            {error.message}
          </Text>
        ) : (
          <Loader aria-label="Loading" />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={onRecover} disabled={!data} data-autofocus>
            Recover
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Becomes({ execution }: { execution: ExecutionView }) {
  if (execution.successor)
    return (
      <Text>
        It was recovered by <code>{execution.successor}</code>. If that one has failed or was terminated, it is
        recovered instead, on the same terms.
      </Text>
    );
  const given = (kind: string) =>
    execution.nodes.filter((each) => each.kind === kind && each.answer && KEPT.has(each.phase)).map(by);
  const tasks = execution.nodes.filter((each) => each.kind === 'task');
  const wasAborted = execution.phase === 'ABORTED';
  return (
    <>
      <Text>A new execution continues with the results of this one.</Text>
      <List size="sm" spacing={4}>
        <Item
          what="Results are kept"
          names={tasks.filter((each) => each.phase === 'SUCCEEDED').map((each) => each.name)}
        />
        <Item what="Answers are kept" names={given('input')} />
        <Item
          what={
            wasAborted
              ? 'Approvals are asked for again, because it was terminated'
              : 'Approvals are kept, and recorded as kept'
          }
          names={given('approve')}
        />
        <Item
          what="Run again, with the same idempotency key if their inputs are the same"
          names={tasks.filter((each) => each.phase !== 'SUCCEEDED' && each.attempts > 0).map((each) => each.name)}
        />
      </List>
    </>
  );
}

const KEPT = new Set(['SUCCEEDED', 'ABORTED', 'SKIPPED']);
const MOST = 10;

function by({ name, answer }: NodeView): string {
  return `${name} (${answer?.by_timeout ? 'the time ran out' : (answer?.who ?? '')})`;
}

function Item({ what, names }: { what: string; names: string[] }) {
  if (names.length === 0) return null;
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
  return (
    <List.Item>
      {what}: {names.slice(0, MOST).join(', ')}
      {more}
    </List.Item>
  );
}
