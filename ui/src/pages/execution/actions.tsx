/** What can be done with an execution, from its page and from the list. */
import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type ReactNode } from 'react';
import { freshKey } from '../../answer/send';
import { call, segments } from '../../api/client';
import type { Aborted, ExecutionView } from '../../api/types';

export type Again = 'relaunch' | 'recover';

/** Launch an execution again, and go to the new one. Until one was made, each try has the same new id, so that a lost reply repeats nothing. */
export function useAgain(id: string) {
  const navigate = useNavigate();
  const made = useRef<Partial<Record<Again, string>>>({});
  return useMutation({
    mutationFn: (how: Again) =>
      call<ExecutionView>('POST', `/api/v1/executions/${segments(id)}/${how}`, {
        id: (made.current[how] ??= freshKey()),
      }),
    onSuccess: (view) => {
      made.current = {};
      void navigate({ to: '/executions/$id', params: { id: view.id } });
    },
  });
}

/** Return what opens the question whether an execution shall end, and the question itself. */
export function useTerminate(id: string, workflow: string): { open: () => void; dialog: ReactNode } {
  const [isOpen, { open, close }] = useDisclosure();
  const dialog = <Terminate id={id} workflow={workflow} isOpen={isOpen} onClose={close} />;
  return { open, dialog };
}

function Terminate({
  id,
  workflow,
  isOpen,
  onClose,
}: {
  id: string;
  workflow: string;
  isOpen: boolean;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const abort = useMutation({
    mutationFn: () => call<Aborted>('POST', `/api/v1/executions/${segments(id)}/abort`, { reason }),
    onSuccess: () => {
      void queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={`Terminate ${workflow}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          abort.mutate();
        }}
      >
        <Stack>
          <Text>
            Running tasks are stopped, and open requests leave the inbox. <code>{id}</code> cannot continue after that,
            but it can be recovered.
          </Text>
          <TextInput
            label="Why (optional)"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
            maxLength={10_000}
          />
          {abort.error && (
            <Text role="alert" c="var(--mantine-color-error)">
              {abort.error.message}
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Keep it
            </Button>
            <Button type="submit" color="red.9" loading={abort.isPending}>
              Terminate
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
