import { Button, Code, FocusTrap, PasswordInput, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { goOnAs, signIn } from '../api/session';
import { clock } from '../show/time';
import './signin.css';

/** The page of somebody who is not signed in, and why not, if a link did not do it. */
export function SignIn({ refused }: { refused?: string | undefined }) {
  return (
    <main className="signin-page">
      <section className="signin">
        <h1>Sign in to Tidegate</h1>
        <Token refused={refused} />
      </section>
    </main>
  );
}

/** The session of `name` has ended: sign in over the page, which stays as it is behind. Esc does not reach a dialog there. */
export function SignInAgain({ name }: { name: string }) {
  const [since] = useState(() => new Date());
  return (
    <div className="signin-over" data-blocks-keys>
      <FocusTrap active>
        <section className="signin" role="dialog" aria-modal="true" aria-labelledby="signin-title">
          <div>
            <h2 id="signin-title">Your session has ended</h2>
            <Text c="dimmed" mt={4}>
              Noticed at {clock(since)}. Sign in as {name} to continue where you were: what you typed stays in this
              browser, and nothing is sent by itself.
            </Text>
          </div>
          <Token />
          <p className="small dim">
            If you are not {name}, the page starts again for you, without what {name} typed.
          </p>
        </section>
      </FocusTrap>
    </div>
  );
}

function Token({ refused }: { refused?: string | undefined }) {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const entering = useMutation({
    mutationFn: () => signIn({ token: token.trim() }),
    onSuccess: (session) => {
      goOnAs(session.name);
      return queries.invalidateQueries();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() && !entering.isPending) entering.mutate();
      }}
    >
      <PasswordInput
        label="Token"
        autoComplete="current-password"
        data-autofocus
        autoFocus
        data-mantine-stop-propagation="true"
        required
        withAsterisk={false}
        value={token}
        error={entering.error?.message ?? refused}
        onChange={(event) => setToken(event.currentTarget.value)}
      />
      <p className="small dim">
        On the server's machine, <Code>tidegate open</Code> signs you in without one. Elsewhere, an administrator makes
        one with <Code>tidegate token create NAME --role approver</Code>.
      </p>
      <Button
        type="submit"
        data-mantine-stop-propagation="true"
        size="lg"
        fullWidth
        loading={entering.isPending}
        disabled={!token.trim()}
      >
        Sign in
      </Button>
    </form>
  );
}
