/** What a recovery would do, as the server decides it, said before it happens. */
import { Button, Group, List, Loader, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { RecoveryView } from '../../api/types';
import { recoveryQuery } from './queries';
import { lost, parts } from './recovered';

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
  const { data, error } = useQuery(recoveryQuery(id));
  return (
    <Modal opened onClose={onClose} title="Recover this execution?" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        {data ? (
          <Becomes id={id} view={data} />
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

function Becomes({ id, view }: { id: string; view: RecoveryView }) {
  return (
    <>
      {view.execution !== id && (
        <Text>
          It was recovered by <code>{view.execution}</code>, which has ended, too: that one is recovered instead.
        </Text>
      )}
      <Text>
        A new execution continues with the results of this one
        {!view.same_code && (
          <>
            , with the code of version <code>{view.new_version}</code>
          </>
        )}
        .
      </Text>
      <List size="sm" spacing={4}>
        {parts(view).map(({ what, names }) => (
          <List.Item key={what}>
            {what}: <bdi>{names}</bdi>
          </List.Item>
        ))}
      </List>
      {lost(view).map((each) => (
        <Text key={each} size="sm" className="soon">
          {each}
        </Text>
      ))}
    </>
  );
}
