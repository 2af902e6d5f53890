import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { signIn, type Change } from '../api/session';

/** A link wants to sign in somebody else than who is signed in: ask, for a foreign page may have opened it. */
export function ChangeOfPerson({ change, onDone }: { change: Change; onDone: () => void }) {
  const changing = useMutation({ mutationFn: () => signIn({ code: change.code }), onSuccess: onDone });
  return (
    <Stack component="main" maw={520} mx="auto" mt="12vh" p="md">
      <Title order={1} size="h2">
        Sign in as {change.name}?
      </Title>
      <Text>
        You are signed in as <b>{change.now}</b>. The link that was opened signs you in as <b>{change.name}</b> instead:
        what you decide from then on is recorded under that name.
      </Text>
      <Text>If you did not request this link yourself, keep your current sign-in.</Text>
      {changing.error && (
        <Text c="red" role="alert">
          {changing.error.message}
        </Text>
      )}
      <Group>
        <Button autoFocus data-autofocus onClick={onDone}>
          Stay {change.now}
        </Button>
        <Button variant="default" loading={changing.isPending} onClick={() => changing.mutate()}>
          Sign in as {change.name}
        </Button>
      </Group>
    </Stack>
  );
}
