/**
 * Sending a file, resumably: a line that breaks, a server that restarts and a page that is loaded again cost only what had not arrived.
 *
 * The protocol is tus 1.0, whose client is loaded with the first file. A promise is rejected with an `ApiError` only when trying again would not help, or
 * has not helped for `PATIENCE`.
 */
import type { DetailedError, Upload } from 'tus-js-client';
import { ApiError, get, UNREACHABLE } from '../api/client';
import { isObject, parseJson, type JsonObject } from '../api/json';
import type { UploadView } from '../api/types';

const UPLOADS = '/api/v1/uploads';

/** Bytes of one request: proxies often allow no more than some ten megabytes. */
const PIECE = 8 * 1024 * 1024;

/** Milliseconds before each further try after a failure; they begin with the first of them once bytes have arrived. */
export const PATIENCE: readonly number[] = [0, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000];

/** What trying again may cure: the line, a server that starts, another request that still adds to the upload. */
const PASSING: ReadonlySet<number> = new Set([0, 408, 409, 423, 429, 500, 502, 503, 504]);

/** How far it is; `sent` counts bytes. */
export interface Progress {
  readonly sent: number;
  readonly size: number;
}

/** A file that is on the server. */
export interface Uploaded {
  readonly digest: string;
  readonly size: number;
  /** The media type, as the server finds it. */
  readonly media: string;
}

/** An upload under way. */
export interface Uploading {
  readonly done: Promise<Uploaded>;
  /** Stop, and have the server drop what has arrived. `done` is then rejected with `Cancelled`. */
  cancel(): void;
}

export class Cancelled extends Error {
  override name = 'Cancelled';
}

/** Begin to send a file. `onProgress` is called as bytes leave, and with each try. */
export function startUpload(file: File, onProgress: (progress: Progress) => void): Uploading {
  let running: Upload | undefined;
  let cancelled = false;
  let stop: (reason: Cancelled) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    stop = reject;
  });
  const sent = send(file, onProgress, (upload) => {
    running = upload;
    return !cancelled;
  });
  return {
    done: Promise.race([sent, ended]),
    cancel: () => {
      cancelled = true;
      stop(new Cancelled('The upload was cancelled.'));
      // Nobody waits for it: what it leaves is dropped after a day.
      running?.abort(true).catch(() => undefined);
    },
  };
}

/** The value that stands for a file which has been sent. */
export function fileValue(file: File, sent: Uploaded): JsonObject {
  return {
    $blob: sent.digest,
    size: sent.size,
    media: file.type || sent.media,
    name: file.name,
  };
}

async function send(
  file: File,
  onProgress: (progress: Progress) => void,
  onStart: (upload: Upload) => boolean,
): Promise<Uploaded> {
  const tus = await import('tus-js-client');
  const url = await new Promise<string>((resolve, reject) => {
    const upload = new tus.Upload(file, {
      endpoint: UPLOADS,
      chunkSize: PIECE,
      retryDelays: [...PATIENCE],
      removeFingerprintOnSuccess: true,
      onShouldRetry: (error) => PASSING.has(error.originalResponse?.getStatus() ?? 0),
      onProgress: (bytes, size) => onProgress({ sent: bytes, size }),
      onSuccess: () => resolve(upload.url ?? ''),
      onError: (error) => reject(problemOf(error)),
    });
    if (!onStart(upload)) return;
    void upload
      .findPreviousUploads()
      .then(([earlier]) => earlier && upload.resumeFromPreviousUpload(earlier))
      .catch(() => undefined)
      .then(() => onStart(upload) && upload.start());
  });
  const { digest, size, media } = await get<UploadView>(new URL(url, location.href).pathname);
  return { digest, size, media };
}

/** What the server said; or that it said nothing. */
export function problemOf(error: Error | DetailedError): ApiError {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  const status = response?.getStatus() ?? 0;
  if (!status) return new ApiError(0, UNREACHABLE);
  try {
    const facts: unknown = parseJson(response?.getBody() ?? '');
    if (isObject(facts)) return new ApiError(status, String(facts.detail ?? status), facts);
  } catch {
    // Not the server's own words: a proxy in between, perhaps.
  }
  return new ApiError(status, `The server replied with status ${status}.`);
}
