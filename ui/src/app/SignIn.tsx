import { Button, Code, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { signIn } from '../api/session';

export function SignIn({ refused }: { refused?: string | undefined }) {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const entering = useMutation({
    mutationFn: () => signIn(token.trim()),
    onSuccess: () => queries.invalidateQueries(),
  });
  const error = entering.error?.message ?? refused;
  return (
    <Stack component="main" maw={420} mx="auto" mt="12vh" p="md">
      <Title order={1} size="h2">Tidegate</Title>
      <Text>Sign in with a token. Whoever runs the server can make one with <Code>tidegate token create NAME --role approver</Code>; the server's own is in the file <Code>token</Code> of its home.</Text>
      <form onSubmit={(event) => { event.preventDefault(); entering.mutate(); }}>
        <Stack>
          <PasswordInput label="Token" autoComplete="current-password" data-autofocus autoFocus required value={token} error={error} onChange={(event) => setToken(event.currentTarget.value)} />
          <Button type="submit" loading={entering.isPending} disabled={!token.trim()}>Sign in</Button>
        </Stack>
      </form>
    </Stack>
  );
}
