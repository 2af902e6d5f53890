import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { endSession, sessionsQuery } from '../api/session';
import { Ago } from '../show/time';

/** The browsers in which one is signed in, each to be ended. */
export function Sessions({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const { data, error } = useQuery(sessionsQuery);
  const ending = useMutation({
    mutationFn: endSession,
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  const problem = error ?? ending.error;
  const others = data?.items.filter((each) => !each.current) ?? [];
  return (
    <Modal opened onClose={onClose} title="Where you are signed in" size="lg">
      <Stack>
        {problem && (
          <Text c="red" role="alert">
            {problem.message}
          </Text>
        )}
        {data?.items.map((each) => (
          <Group key={each.id} justify="space-between" wrap="nowrap" align="start">
            <Stack gap={0} miw={0}>
              <Text truncate title={each.agent}>
                {each.current ? 'This browser' : each.agent || 'A browser'}
              </Text>
              <Text size="sm" c="dimmed">
                signed in <Ago at={each.created} />, last used <Ago at={each.used} />
              </Text>
            </Stack>
            {!each.current && (
              <Button
                variant="default"
                size="compact-sm"
                loading={ending.isPending && ending.variables === each.id}
                onClick={() => ending.mutate(each.id)}
              >
                End
              </Button>
            )}
          </Group>
        ))}
        {others.length > 1 && (
          <Button variant="default" onClick={() => ending.mutate('all')}>
            End all others
          </Button>
        )}
      </Stack>
    </Modal>
  );
}
