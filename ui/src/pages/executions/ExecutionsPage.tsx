import { Title } from '@mantine/core';

export function ExecutionsPage() {
  return <Title order={1} size="h2">Executions</Title>;
}
