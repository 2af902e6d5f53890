import { Anchor, Stack, Text, Title } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';
import { useTitle } from './title';

export function NotFound() {
  const { pathname } = useLocation();
  useTitle('No such page');
  return (
    <Stack align="flex-start" maw={560} mx="auto" mt="xl">
      <Title order={1} size="h2">
        There is no such page
      </Title>
      <Text>
        Nothing is at <code>{pathname}</code>. The address may be incomplete, or the page has moved.
      </Text>
      <Anchor component={Link} to="/">
        To the inbox
      </Anchor>
    </Stack>
  );
}
