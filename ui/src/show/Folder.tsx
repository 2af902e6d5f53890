/** A directory: its files, by the manifest that stands for it. Images among them are shown. */
import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get } from '../api/client';
import { addressOf, download } from './files';
import { isImage } from './media';
import { count } from './numbers';
import { Taking } from './parts';
import { Pictures, type Picture } from './Pictures';
import { Cut, part, useEverything } from './whole';

const MOST_FILES = 100;

export function Folder({ digest, name }: { digest: string; name: string }) {
  const everything = useEverything();
  const [whole, setWhole] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['folder', digest],
    queryFn: () => get<Record<string, string | null>>(addressOf(digest)),
    staleTime: Infinity,
    retry: false,
  });
  if (error)
    return (
      <Text c="dimmed">
        The directory {name} could not be listed: {error.message}
      </Text>
    );
  if (!data) return <Loader size="sm" aria-label="Loading the directory" />;
  const found = Object.entries(data);
  const shown = whole || everything ? found : found.slice(0, MOST_FILES);
  const pictures = shown.flatMap(([each, content]): Picture[] => {
    const file = { $blob: content, name: each };
    return content !== null && isImage(file) ? [{ name: each, file }] : [];
  });
  return (
    <div>
      <Text size="sm">
        {name}/{' '}
        <span className="dim">
          {count(found.length)} file{found.length === 1 ? '' : 's'}
        </span>
      </Text>
      <Cut parts={[part(shown.length, found.length, 'files')]} onAll={() => setWhole(true)} />
      {pictures.length > 1 && <Pictures pictures={pictures} />}
      <ul className="files">
        {shown.map(([each, content]) => (
          <li key={each}>
            {content === null ? (
              `${each}/`
            ) : (
              <Taking name={each} onTake={() => download(content, each.split('/').pop() ?? each)} />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
