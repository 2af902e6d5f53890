/** What viewers of files share. */
import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { IconDownload } from '../app/icons';
import { bytes } from './numbers';
import { useUnseen } from './whole';

export type ViewerProps = { digest: string; name: string; media: string; size: number };

/** In place of what cannot be shown: why, and beside the buttons that it was not seen. */
export function NotHere({ name, children }: { name: string; children: ReactNode }) {
  useUnseen(true, name);
  return (
    <Text size="sm" c="dimmed">
      {children} Download it to look into it.
    </Text>
  );
}

/** The name and size of a file, and the way to take it home. */
export function Taking({ name, size, onTake }: { name: string; size?: number; onTake: () => void }) {
  return (
    <Group gap="xs" mt={4}>
      <Text size="sm" dir="auto" className="file-name">
        {name} {size !== undefined && <span className="dim">{bytes(size)}</span>}
      </Text>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconDownload size={14} />}
        aria-label={`Download ${name}`}
        onClick={onTake}
      >
        Download
      </Button>
    </Group>
  );
}
