import { Button, Group, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { onReturn } from './connection';

const SCRIPT = /src="(\/assets\/[^"]+\.js)"/;

/** Whether the server gives out another page than this one. */
async function isOutdated(): Promise<boolean> {
  const script = SCRIPT.exec(await (await fetch('/')).text())?.[1];
  return script !== undefined && document.querySelector(`script[src="${script}"]`) === null;
}

/** After the server was gone it may have come back as another version: then the page should be reloaded. */
export function NewVersion() {
  const [outdated, setOutdated] = useState(false);
  useEffect(() => onReturn(() => void isOutdated().then(setOutdated, () => undefined)), []);
  if (!outdated) return null;
  return (
    <Group className="newer" gap="sm" role="status">
      <Text>A new version is available.</Text>
      <Button size="compact-sm" variant="white" onClick={() => location.reload()}>
        Reload
      </Button>
    </Group>
  );
}
