import { Title } from '@mantine/core';

export function WorkflowPage() {
  return <Title order={1} size="h2">Workflow</Title>;
}
