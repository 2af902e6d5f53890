/** Fields for what is stored as a file: it is sent when it is chosen, and the value stands for it. */
import { Anchor, FileInput, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { upload } from '../api/client';
import { isObject, type Json } from '../api/json';
import { useField, type FieldProps } from './state';

const INLINE_BYTES = 16 * 1024;

const MEDIA: Record<string, { accept: string; media: string; about: string }> = {
  ndarray: { accept: '.npy', media: 'application/vnd.numpy.npy', about: 'array' },
  table: { accept: '.parquet', media: 'application/vnd.apache.parquet', about: 'table' },
};

/** Kinds that can be chosen as one file; the others are given as JSON. */
export const CHOOSABLE: ReadonlySet<string> = new Set(['file', 'ndarray', 'table']);

export function BlobField(props: FieldProps & { of: string; web: boolean }) {
  const { value, onChange, of, web } = props;
  const field = useField(props);
  const kind = MEDIA[of];
  const sending = useSending(async (file) => {
    const stored = await upload(file);
    onChange(kind ? { $blob: stored.$blob ?? '', size: stored.size ?? 0, media: kind.media, about: kind.about } : stored);
  });
  const uri = isObject(value) && typeof value.$uri === 'string' ? value.$uri : undefined;
  const [fromWeb, setFromWeb] = useState(uri !== undefined);
  if (web && fromWeb) {
    return (
      <Stack gap={4} align="flex-start">
        <TextInput {...field} w="100%" type="url" placeholder="https://" value={uri ?? ''} onChange={(event) => onChange(event.currentTarget.value ? { $uri: event.currentTarget.value } : undefined)} />
        <Anchor component="button" type="button" size="sm" onClick={() => { setFromWeb(false); onChange(undefined); }}>Choose a file instead</Anchor>
      </Stack>
    );
  }
  return (
    <Stack gap={4} align="flex-start">
      <FileInput {...field} w="100%" accept={kind?.accept} clearable clearButtonProps={{ 'aria-label': 'Take it out' }} disabled={field.disabled || sending.busy} error={sending.error || field.error}
        placeholder={sending.busy ? 'Sending ...' : named(value) ?? `Choose ${kind ? `a ${kind.accept} file` : 'a file'}`} onChange={(file) => (file ? sending.send(file) : onChange(undefined))} />
      {web && <Anchor component="button" type="button" size="sm" onClick={() => setFromWeb(true)}>Give a web address instead</Anchor>}
    </Stack>
  );
}

/** Bytes: short ones stand in the value itself. */
export function BytesField(props: FieldProps) {
  const { value, onChange } = props;
  const field = useField(props);
  const sending = useSending(async (file) => {
    if (file.size > INLINE_BYTES) {
      const stored = await upload(file);
      onChange({ $blob: stored.$blob ?? '', size: stored.size ?? 0, media: 'application/octet-stream' });
    } else {
      onChange(btoa(Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join('')));
    }
  });
  return (
    <FileInput {...field} clearable clearButtonProps={{ 'aria-label': 'Take it out' }} disabled={field.disabled || sending.busy} error={sending.error || field.error}
      placeholder={typeof value === 'string' ? `${Math.floor(value.length * 0.75)} bytes` : named(value) ?? 'Choose a file'} onChange={(file) => (file ? sending.send(file) : onChange(undefined))} />
  );
}

function named(value: Json | undefined): string | undefined {
  if (!isObject(value) || !('$blob' in value)) return undefined;
  return typeof value.name === 'string' ? value.name : `${String(value.about ?? 'file')}, ${String(value.size ?? '?')} bytes`;
}

function useSending(store: (file: File) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const send = (file: File) => {
    setBusy(true);
    setError('');
    store(file)
      .catch((caught: unknown) => setError(`Not sent: ${caught instanceof Error ? caught.message : String(caught)}`))
      .finally(() => setBusy(false));
  };
  return { busy, error, send };
}
