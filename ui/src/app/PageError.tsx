import { Button, Stack, Text, Title } from '@mantine/core';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { ApiError } from '../api/client';

/** What stands in place of a page that could not be shown. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Stack align="flex-start" maw={560} mx="auto" mt="xl" role="alert">
      <Title order={1} size="h2">
        This page could not be shown
      </Title>
      <Text>{error instanceof Error ? error.message : String(error)}</Text>
      {!(error instanceof ApiError) && (
        <Text c="dimmed">If the server was updated while this page was open, reloading it helps.</Text>
      )}
      <Button
        onClick={() => {
          if (!(error instanceof ApiError)) location.reload();
          reset();
          void router.invalidate();
        }}
      >
        Try again
      </Button>
    </Stack>
  );
}

/** What stands in place of what a query could not fetch. */
export function QueryError({ error, retry, what }: { error: Error; retry: () => void; what: string }) {
  const message =
    error instanceof ApiError && error.status === 403 ? `You may not see this. ${error.message}` : error.message;
  return (
    <Stack align="flex-start" role="alert" gap="xs">
      <Text fw={600}>{what} could not be loaded</Text>
      <Text c="dimmed">{message}</Text>
      <Button variant="default" onClick={retry}>
        Try again
      </Button>
    </Stack>
  );
}
