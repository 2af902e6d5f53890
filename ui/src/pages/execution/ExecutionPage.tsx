import { Title } from '@mantine/core';

export function ExecutionPage() {
  return <Title order={1} size="h2">Execution</Title>;
}
