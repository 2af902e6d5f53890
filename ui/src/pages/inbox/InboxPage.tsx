import { Title } from '@mantine/core';

export function InboxPage() {
  return <Title order={1} size="h2">Inbox</Title>;
}
