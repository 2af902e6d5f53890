import { Button, Code, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { signIn } from '../api/session';

export function SignIn({ refused }: { refused?: string | undefined }) {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const entering = useMutation({
    mutationFn: () => signIn({ token: token.trim() }),
    onSuccess: () => queries.invalidateQueries(),
  });
  const error = entering.error?.message ?? refused;
  return (
    <Stack component="main" maw={420} mx="auto" mt="12vh" p="md">
      <Title order={1} size="h2">
        Tidegate
      </Title>
      <Text>
        On the server's machine, <Code>tidegate open</Code> signs you in. Elsewhere, sign in with a token; an
        administrator makes one with <Code>tidegate token create NAME --role approver</Code>.
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          entering.mutate();
        }}
      >
        <Stack>
          <PasswordInput
            label="Token"
            autoComplete="current-password"
            data-autofocus
            autoFocus
            required
            value={token}
            error={error}
            onChange={(event) => setToken(event.currentTarget.value)}
          />
          <Button type="submit" loading={entering.isPending} disabled={!token.trim()}>
            Sign in
          </Button>
        </Stack>
      </form>
    </Stack>
  );
}
