import { Button, CopyButton, Group, Stack, Text, Title } from '@mantine/core';
import { writeJson, type Json, type JsonObject } from '../../api/json';
import { download } from './download';
import { Value } from '../../show/Value';

/** Named values: each with its name, and what can be done with all of them. */
export function Values({
  title,
  values,
  empty,
  order = 2,
}: {
  title: string;
  values: Record<string, Json> | null;
  empty: string;
  order?: 2 | 3;
}) {
  const entries = Object.entries(values ?? {});
  const text = values === null ? '' : writeJson(values as JsonObject, 2);
  return (
    <section className="card ex-values">
      <Group justify="space-between" mb="xs">
        <Title order={order} size="h4">
          {title}
        </Title>
        {entries.length > 0 && (
          <Group gap="xs">
            <CopyButton value={text}>
              {({ copied, copy }) => (
                <Button size="compact-sm" variant="default" onClick={copy} aria-label={`Copy ${title.toLowerCase()}`}>
                  {copied ? 'Copied' : 'Copy'}
                </Button>
              )}
            </CopyButton>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => download(`${title.toLowerCase()}.json`, text, 'application/json')}
              aria-label={`Download ${title.toLowerCase()}`}
            >
              Download
            </Button>
          </Group>
        )}
      </Group>
      {entries.length === 0 ? (
        <Text c="dimmed">{empty}</Text>
      ) : (
        <Stack gap="sm" component="dl" m={0}>
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Value value={value} />
              </dd>
            </div>
          ))}
        </Stack>
      )}
    </section>
  );
}
