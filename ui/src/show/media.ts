/** What a file is, and how it is shown: by what the server finds in it, and by what its author says where the content can be that. */
import { isBlob } from './blob';
import type { Json, JsonObject } from '../api/json';
import type { TableKind } from './tables';

export type ShownAs =
  'image' | 'audio' | 'video' | 'pdf' | 'markdown' | 'json' | 'text' | 'table' | 'folder' | 'nothing';

const IMAGE = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const TEXT = /^(text\/|application\/(json|xml|yaml|x-yaml|csv|toml|sql|javascript|x-ndjson|x-sh))/;
const PLAIN = 'text/plain';
const MARKUP = /(xml|html)$/;
export const FOLDER = 'application/vnd.tidegate.directory+json';
/** Bytes of an image that is shown. */
export const IMAGE_BYTES = 20_000_000;

const TABLES: Record<string, TableKind | 'served'> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/vnd.apache.parquet': 'parquet',
  'application/vnd.numpy.npy': 'npy',
  'application/vnd.apache.arrow.file': 'served',
};

/** Types of which there are several names: one of them. */
const SAME: Record<string, string> = {
  'application/x-pdf': 'application/pdf',
  'audio/mp3': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/x-m4a': 'audio/mp4',
  'audio/x-aac': 'audio/aac',
  'audio/opus': 'audio/ogg',
  'image/jpg': 'image/jpeg',
  'image/x-ms-bmp': 'image/bmp',
  'text/x-markdown': 'text/markdown',
};

/** Containers that hold sound alone as well. */
const SOUND_IN: Record<string, string> = {
  'video/webm': 'audio/webm',
  'video/mp4': 'audio/mp4',
  'video/ogg': 'audio/ogg',
};

const ENDINGS: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  svg: 'image/svg+xml',
  txt: PLAIN,
  log: PLAIN,
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  parquet: 'application/vnd.apache.parquet',
  npy: 'application/vnd.numpy.npy',
  md: 'text/markdown',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  toml: 'application/toml',
  pdf: 'application/pdf',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  webm: 'video/webm',
  ogv: 'video/ogg',
  mov: 'video/quicktime',
};

/** What a file is by what is said of it: its media type, else the ending of its name. */
export function mediaOf(media: string, name: string): string {
  const said = media.split(';')[0]?.trim().toLowerCase() ?? '';
  if (said && said !== 'application/octet-stream') return SAME[said] ?? said;
  return ENDINGS[name.split('.').pop()?.toLowerCase() ?? ''] ?? said;
}

/** The media type to show a file by: what is said of it where the content can be that, else what was found. */
export function agreed(said: string, found: string): string {
  if (said === found || said === FOLDER) return said;
  if (found === PLAIN && TEXT.test(said) && !MARKUP.test(said)) return said;
  if (found === 'application/xml' && said === 'image/svg+xml') return said;
  return SOUND_IN[found] === said ? said : found;
}

export function shownAs(media: string): ShownAs {
  if (media === FOLDER) return 'folder';
  if (media in TABLES) return 'table';
  if (IMAGE.test(media)) return 'image';
  if (media === 'application/pdf') return 'pdf';
  if (media === 'text/markdown') return 'markdown';
  if (media === 'application/json') return 'json';
  if (media.startsWith('audio/') && media !== 'audio/midi') return 'audio';
  if (media.startsWith('video/')) return 'video';
  return TEXT.test(media) ? 'text' : 'nothing';
}

/** How the page itself can read a table, if it can. */
export function tableKind(media: string): TableKind | undefined {
  const kind = TABLES[media];
  return kind === 'served' ? undefined : kind;
}

/** What is said of a stored file: its digest, name and media type. */
export function said(value: JsonObject): { digest: string; name: string; media: string } {
  const name = String(value.name ?? value.about ?? 'file');
  return { digest: String(value.$blob), name, media: mediaOf(String(value.media ?? ''), name) };
}

export function isImage(value: Json): value is JsonObject {
  return (
    isBlob(value) &&
    '$blob' in value &&
    Number(value.size ?? 0) <= IMAGE_BYTES &&
    IMAGE.test(mediaOf(String(value.media ?? ''), String(value.name ?? '')))
  );
}

/** Whether what is said of a file makes it a text. */
export function isTextFile(value: Json): value is JsonObject {
  return isBlob(value) && '$blob' in value && ['text', 'markdown', 'json'].includes(shownAs(said(value).media));
}
