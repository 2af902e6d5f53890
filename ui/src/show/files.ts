/** Files of the server: what they are, what is in them, and how they get onto the reader's disk. */
import { queryOptions } from '@tanstack/react-query';
import { get, getBlob, getPart, segments } from '../api/client';
import type { BlobView } from '../api/types';

/** Milliseconds for which the content of a file is kept once it is no longer shown. */
const KEPT_MS = 30_000;

export const addressOf = (digest: string): string => `/api/v1/blobs/${segments(digest)}`;

/** What the server finds in a file. */
export function factsQuery(digest: string) {
  return queryOptions({
    queryKey: ['facts', digest],
    queryFn: () => get<BlobView>(`${addressOf(digest)}/facts`),
    staleTime: Infinity,
    retry: false,
  });
}

export function blobQuery(digest: string, enabled = true) {
  return queryOptions({
    queryKey: ['blob', digest],
    queryFn: () => getBlob(addressOf(digest)),
    staleTime: Infinity,
    gcTime: KEPT_MS,
    retry: false,
    enabled,
  });
}

/** The first `many` bytes of a file, as text. A character that is cut at the end is left out. */
export function textQuery(digest: string, many: number) {
  return queryOptions({
    queryKey: ['text', digest, many],
    queryFn: async ({ signal }) => {
      if (many === 0) return '';
      const found = await getPart(addressOf(digest), 0, many, signal);
      return new TextDecoder().decode(found, { stream: true });
    },
    staleTime: Infinity,
    gcTime: KEPT_MS,
    retry: false,
  });
}

/** Let the browser save a file, without passing it through the memory of the page. */
export function download(digest: string, name: string): void {
  saveAs(addressOf(digest), name);
}

export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  saveAs(url, name);
  URL.revokeObjectURL(url);
}

function saveAs(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
