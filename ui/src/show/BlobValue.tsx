/** What is stored as a file: an image as an image, a short text as text, all else with its name and a way to take it home. */
import { Anchor, Button, Code, Group, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { get, getBlob, segments } from '../api/client';
import type { Json, JsonObject } from '../api/json';
import type { BlobView } from '../api/types';
import { IconDownload } from '../app/icons';
import { later } from '../app/later';
import { isBlob } from './blob';
import { bytes } from './brief';
import type { TableKind } from './tables';
import { Cut, part, useEverything } from './whole';

const FileTable = lazy(later(() => import('../grid/TableValue').then((module) => ({ default: module.FileTable }))));

const IMAGE = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const TEXT = /^(text\/|application\/(json|xml|yaml|x-yaml|csv))/;
const IMAGE_BYTES = 20_000_000;
const TEXT_BYTES = 200_000;
const TABLES: Record<string, TableKind | 'served'> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/vnd.apache.parquet': 'parquet',
  'application/vnd.numpy.npy': 'npy',
  'application/vnd.apache.arrow.file': 'served',
};
const FOLDER = 'application/vnd.tidegate.directory+json';
const MOST_FILES = 100;
const ENDINGS: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  parquet: 'application/vnd.apache.parquet',
  npy: 'application/vnd.numpy.npy',
  md: 'text/markdown',
  json: 'application/json',
  log: 'text/plain',
};

export { isBlob };

export function BlobValue({ value }: { value: JsonObject }) {
  if (typeof value.$uri === 'string') {
    return /^https?:/.test(value.$uri) ? (
      <Anchor href={value.$uri} target="_blank" rel="noreferrer">
        {value.$uri}
      </Anchor>
    ) : (
      <span>{value.$uri}</span>
    );
  }
  return <StoredBlob value={value} />;
}

/** A blob as the server finds it. What the value says of it comes from its author. */
function StoredBlob({ value }: { value: JsonObject }) {
  const digest = String(value.$blob);
  const name = String(value.name ?? value.about ?? 'file');
  const { data: found, error } = useQuery({
    queryKey: ['facts', digest],
    queryFn: () => get<BlobView>(`/api/v1/blobs/${segments(digest)}/facts`),
    staleTime: Infinity,
    retry: false,
  });
  if (error)
    return (
      <Text c="dimmed">
        The file {name} could not be looked into: {error.message}
      </Text>
    );
  if (!found) return <Loader size="sm" aria-label="Inspecting the file" />;
  const { size } = found;
  const claimed = mediaOf(String(value.media ?? ''), name);
  const media = agreed(claimed, found.media);
  if (media === FOLDER) return <Folder digest={digest} name={name} />;
  const table = TABLES[media];
  return (
    <div>
      {table && (
        <Suspense fallback={<Loader size="sm" aria-label="Loading the table" />}>
          <FileTable digest={digest} kind={table === 'served' ? undefined : table} size={size} />
        </Suspense>
      )}
      {IMAGE.test(media) && size <= IMAGE_BYTES && <ImageBlob digest={digest} media={media} name={name} />}
      {!table && TEXT.test(media) && size <= TEXT_BYTES && <TextBlob digest={digest} />}
      <Taking name={name} size={size} onTake={() => void fetchAndSave(digest, name, media)} />
      <Text size="xs" c="dimmed" className="digest">
        {found.media}, SHA-256 {digest}
      </Text>
      <Disagreement value={value} found={found} isOther={media !== claimed} />
    </div>
  );
}

/** Where the value says something else of a file than the server finds. */
function Disagreement({ value, found, isOther }: { value: JsonObject; found: BlobView; isOther: boolean }) {
  const said = [
    typeof value.size === 'number' && value.size !== found.size && bytes(value.size),
    isOther && typeof value.media === 'string' && value.media,
  ].filter(Boolean);
  return (
    said.length > 0 && (
      <Text size="sm" c="orange">
        The value says {said.join(', ')}. That is not so.
      </Text>
    )
  );
}

const PLAIN = 'text/plain';
const MARKUP = /(xml|html)$/;

/** The media type to show a file by: that of the value where the content can be that, else what was found. */
function agreed(claimed: string, found: string): string {
  if (claimed === found || claimed === FOLDER) return claimed;
  if (found === PLAIN && TEXT.test(claimed) && !MARKUP.test(claimed)) return claimed;
  if (found === 'application/xml' && claimed === 'image/svg+xml') return claimed;
  return found;
}

export function isImage(value: Json): boolean {
  return (
    isBlob(value) &&
    '$blob' in value &&
    Number(value.size ?? 0) <= IMAGE_BYTES &&
    IMAGE.test(mediaOf(String(value.media ?? ''), String(value.name ?? '')))
  );
}

function Taking({ name, size, onTake }: { name: string; size?: number; onTake: () => void }) {
  return (
    <Group gap="xs" mt={4}>
      <Text size="sm">
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

/** A directory: its files, by the manifest that stands for it. */
function Folder({ digest, name }: { digest: string; name: string }) {
  const everything = useEverything();
  const [whole, setWhole] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['folder', digest],
    queryFn: () => get<Record<string, string | null>>(`/api/v1/blobs/${segments(digest)}`),
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
  return (
    <div>
      <Text size="sm">
        {name}/{' '}
        <span className="dim">
          {found.length} file{found.length === 1 ? '' : 's'}
        </span>
      </Text>
      <Cut parts={[part(shown.length, found.length, 'files')]} onAll={() => setWhole(true)} />
      <ul className="files">
        {shown.map(([each, content]) => (
          <li key={each}>
            {content === null ? (
              `${each}/`
            ) : (
              <Taking
                name={each}
                onTake={() => void fetchAndSave(content, each.split('/').pop() ?? each, mediaOf('', each))}
              />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Bytes that stand in the value itself, as base64. */
export function BytesValue({ text }: { text: string }) {
  const content = decode(text);
  if (content === undefined) return <span className="text">{text}</span>;
  return <Taking name="bytes" size={content.length} onTake={() => save(new Blob([content]), 'bytes.bin')} />;
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function mediaOf(media: string, name: string): string {
  if (media && media !== 'application/octet-stream') return media;
  return ENDINGS[name.split('.').pop()?.toLowerCase() ?? ''] ?? media;
}

function useBlob(digest: string) {
  return useQuery({
    queryKey: ['blob', digest],
    queryFn: () => getBlob(`/api/v1/blobs/${segments(digest)}`),
    staleTime: Infinity,
    retry: false,
  });
}

export function ImageBlob({ digest, media, name }: { digest: string; media: string; name: string }) {
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
  return text === undefined ? (
    <Loader size="sm" aria-label="Loading the file" />
  ) : (
    <Code block className="tree" tabIndex={0}>
      {text}
    </Code>
  );
}

async function fetchAndSave(digest: string, name: string, media: string): Promise<void> {
  const blob = await getBlob(`/api/v1/blobs/${segments(digest)}`);
  save(new Blob([blob], { type: media }), name);
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
