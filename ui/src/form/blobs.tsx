/** Fields for what is stored as a file: it is sent when it is chosen, and the value stands for it. */
import { Anchor, FileInput, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { upload } from '../api/client';
import { isObject, writeJson, type Json } from '../api/json';
import type { Path } from './check';
import { useBroken, useField, type FieldProps } from './state';

const INLINE_BYTES = 16 * 1024;

const MEDIA: Record<string, { accept: string; media: string; about: string }> = {
  ndarray: { accept: '.npy', media: 'application/vnd.numpy.npy', about: 'array' },
  table: { accept: '.parquet', media: 'application/vnd.apache.parquet', about: 'table' },
};

/** Kinds that can be chosen as one file. */
export const CHOOSABLE: ReadonlySet<string> = new Set(['file', 'ndarray', 'table']);

export function BlobField(props: FieldProps & { of: string; web: boolean }) {
  const { value, onChange, of, web } = props;
  const field = useField(props);
  const kind = MEDIA[of];
  const sending = useSending(props.path, async ([file]) => {
    if (!file) return;
    const stored = await upload(file);
    onChange(
      kind ? { $blob: stored.$blob ?? '', size: stored.size ?? 0, media: kind.media, about: kind.about } : stored,
    );
  });
  const uri = isObject(value) && typeof value.$uri === 'string' ? value.$uri : undefined;
  const [fromWeb, setFromWeb] = useState(uri !== undefined);
  if (web && fromWeb) {
    return (
      <Stack gap={4} align="flex-start">
        <TextInput
          {...field}
          w="100%"
          type="url"
          placeholder="https://"
          value={uri ?? ''}
          onChange={(event) => onChange(event.currentTarget.value ? { $uri: event.currentTarget.value } : undefined)}
        />
        <Anchor
          component="button"
          type="button"
          size="sm"
          onClick={() => {
            setFromWeb(false);
            onChange(undefined);
          }}
        >
          Choose a file instead
        </Anchor>
      </Stack>
    );
  }
  return (
    <Stack gap={4} align="flex-start">
      <FileInput
        {...field}
        w="100%"
        accept={kind?.accept}
        clearable
        clearButtonProps={{ 'aria-label': 'Remove' }}
        disabled={field.disabled || sending.busy}
        error={sending.error || field.error}
        placeholder={
          sending.busy ? 'Sending ...' : (named(value) ?? `Choose ${kind ? `a ${kind.accept} file` : 'a file'}`)
        }
        onChange={(file) => (file ? sending.send(file) : onChange(undefined))}
      />
      {web && (
        <Anchor component="button" type="button" size="sm" onClick={() => setFromWeb(true)}>
          Give a web address instead
        </Anchor>
      )}
    </Stack>
  );
}

const FOLDER = 'application/vnd.tidegate.directory+json';

/** A directory: each of its files is sent, and then the list of them, which stands for it. */
export function FolderField(props: FieldProps) {
  const { value, onChange } = props;
  const field = useField(props);
  const [done, setDone] = useState('');
  const sending = useSending(props.path, async (files) => {
    const listed: Record<string, Json> = {};
    for (const [index, file] of files.entries()) {
      setDone(`${index} of ${files.length}`);
      listed[within(file)] = (await upload(file)).$blob ?? null;
    }
    const sorted = Object.fromEntries(Object.entries(listed).sort(([one], [other]) => (one < other ? -1 : 1)));
    const manifest = await upload(new File([writeJson(sorted)], 'manifest'));
    onChange({
      $blob: manifest.$blob ?? '',
      size: files.reduce((sum, each) => sum + each.size, 0),
      media: FOLDER,
      name: folderOf(files[0]),
      about: `${files.length} file${files.length === 1 ? '' : 's'}`,
    });
  });
  const chosen =
    isObject(value) && '$blob' in value
      ? `${String(value.name ?? 'directory')}: ${String(value.about ?? '')}`
      : undefined;
  return (
    <FileInput
      {...field}
      multiple
      clearable
      clearButtonProps={{ 'aria-label': 'Remove' }}
      fileInputProps={{ webkitdirectory: '' } as object}
      disabled={field.disabled || sending.busy}
      error={sending.error || field.error}
      placeholder={sending.busy ? `Sending ${done} ...` : (chosen ?? 'Choose a directory')}
      valueComponent={() => <>{sending.busy ? `Sending ${done} ...` : chosen}</>}
      onChange={(files) => (files.length > 0 ? sending.send(...files) : onChange(undefined))}
    />
  );
}

/** The path of a file in the directory that was chosen. */
function within(file: File): string {
  return file.webkitRelativePath.split('/').slice(1).join('/') || file.name;
}

function folderOf(file: File | undefined): string {
  return file?.webkitRelativePath.split('/')[0] || 'directory';
}

/** Bytes: short ones stand in the value itself. */
export function BytesField(props: FieldProps) {
  const { value, onChange } = props;
  const field = useField(props);
  const sending = useSending(props.path, async ([file]) => {
    if (!file) return;
    if (file.size > INLINE_BYTES) {
      const stored = await upload(file);
      onChange({ $blob: stored.$blob ?? '', size: stored.size ?? 0, media: 'application/octet-stream' });
    } else {
      onChange(
        btoa(Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join('')),
      );
    }
  });
  return (
    <FileInput
      {...field}
      clearable
      clearButtonProps={{ 'aria-label': 'Remove' }}
      disabled={field.disabled || sending.busy}
      error={sending.error || field.error}
      placeholder={
        typeof value === 'string' ? `${Math.floor(value.length * 0.75)} bytes` : (named(value) ?? 'Choose a file')
      }
      onChange={(file) => (file ? sending.send(file) : onChange(undefined))}
    />
  );
}

function named(value: Json | undefined): string | undefined {
  if (!isObject(value) || !('$blob' in value)) return undefined;
  return typeof value.name === 'string'
    ? value.name
    : `${String(value.about ?? 'file')}, ${String(value.size ?? '?')} bytes`;
}

function useSending(path: Path, store: (files: File[]) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  useBroken(path, busy ? 'Still uploading' : undefined);
  const [error, setError] = useState('');
  const send = (...files: File[]) => {
    setBusy(true);
    setError('');
    store(files)
      .catch((caught: unknown) => setError(`Not sent: ${caught instanceof Error ? caught.message : String(caught)}`))
      .finally(() => setBusy(false));
  };
  return { busy, error, send };
}
