/** What is stored as a file: an image as an image, a short text as text, all else with its name and a way to take it home. */
import { Anchor, Button, Code, Group, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { getBlob, segments } from '../api/client';
import type { JsonObject } from '../api/json';
import { IconDownload } from '../app/icons';

const IMAGE = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const TEXT = /^(text\/|application\/(json|xml|yaml|x-yaml|csv))/;
const IMAGE_BYTES = 20_000_000;
const TEXT_BYTES = 200_000;
const ENDINGS: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', svg: 'image/svg+xml', txt: 'text/plain', csv: 'text/csv', md: 'text/markdown', json: 'application/json', log: 'text/plain' };

export function BlobValue({ value }: { value: JsonObject }) {
  if (typeof value.$uri === 'string') {
    return /^https?:/.test(value.$uri) ? <Anchor href={value.$uri} target="_blank" rel="noreferrer">{value.$uri}</Anchor> : <span>{value.$uri}</span>;
  }
  const digest = String(value.$blob);
  const name = String(value.name ?? value.about ?? 'file');
  const size = Number(value.size ?? 0);
  const media = mediaOf(String(value.media ?? ''), name);
  return (
    <div>
      {IMAGE.test(media) && size <= IMAGE_BYTES && <ImageBlob digest={digest} media={media} name={name} />}
      {TEXT.test(media) && size <= TEXT_BYTES && <TextBlob digest={digest} />}
      <Group gap="xs" mt={4}>
        <Text size="sm">{name} <span className="dim">{bytes(size)}</span></Text>
        <Button size="compact-xs" variant="default" leftSection={<IconDownload size={14} />} onClick={() => void save(digest, name, media)}>Download</Button>
      </Group>
    </div>
  );
}

function mediaOf(media: string, name: string): string {
  if (media && media !== 'application/octet-stream') return media;
  return ENDINGS[name.split('.').pop()?.toLowerCase() ?? ''] ?? media;
}

export function bytes(size: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let value = size;
  let at = 0;
  while (value >= 1_000 && at < units.length - 1) {
    value /= 1_000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}

function useBlob(digest: string) {
  return useQuery({ queryKey: ['blob', digest], queryFn: () => getBlob(`/api/v1/blobs/${segments(digest)}`), staleTime: Infinity, retry: false });
}

function ImageBlob({ digest, media, name }: { digest: string; media: string; name: string }) {
  const { data, error } = useBlob(digest);
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!data) return undefined;
    const made = URL.createObjectURL(new Blob([data], { type: media }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data, media]);
  if (error) return <Text c="dimmed">The image could not be loaded: {error.message}</Text>;
  return url ? <img className="image" src={url} alt={name} /> : <Loader size="sm" aria-label="Loading the image" />;
}

function TextBlob({ digest }: { digest: string }) {
  const { data, error } = useBlob(digest);
  const [text, setText] = useState<string>();
  useEffect(() => void data?.text().then(setText), [data]);
  if (error) return <Text c="dimmed">The file could not be loaded: {error.message}</Text>;
  return text === undefined ? <Loader size="sm" aria-label="Loading the file" /> : <Code block className="tree" tabIndex={0}>{text}</Code>;
}

async function save(digest: string, name: string, media: string): Promise<void> {
  const blob = await getBlob(`/api/v1/blobs/${segments(digest)}`);
  const url = URL.createObjectURL(new Blob([blob], { type: media }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
