/** Asking the server: JSON in and out, the login in a cookie, and errors as the problems that the server tells. */
import { sessionEnded } from './ended';
import { followed } from './followed';
import { shared } from './shared';
import { isObject, parseJson, writeJson, type Json, type JsonObject } from './json';
import type { FaultDocument } from './types';

/** What the server refused, and why; `status` 0 means that it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: FaultDocument[];
  readonly facts: JsonObject;

  constructor(status: number, message: string, facts: JsonObject = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = typeof facts.code === 'string' ? facts.code : '';
    this.faults = Array.isArray(facts.faults) ? (facts.faults as unknown as FaultDocument[]) : [];
    this.facts = facts;
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export const UNREACHABLE = 'The server cannot be reached.';

type Listener = (reached: boolean) => void;
const listeners = new Set<Listener>();

/** Be told after each request whether the server was reached. Returns what ends that. */
export function onReach(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    listeners.forEach((each) => each(false));
    throw new ApiError(0, UNREACHABLE);
  }
  listeners.forEach((each) => each(true));
  if (response.ok) return response;
  if (response.status === 401 && !isSigningIn(path, init)) sessionEnded();
  throw await problem(response);
}

/** A wrong token says nothing about the session that there is. */
function isSigningIn(path: string, init: RequestInit): boolean {
  return path.startsWith('/api/v1/session') && init.method === 'POST';
}

async function problem(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const facts: unknown = parseJson(text);
    if (isObject(facts)) return new ApiError(response.status, String(facts.detail ?? response.statusText), facts);
  } catch {
    // Not the server's own words: a proxy in between, perhaps.
  }
  return new ApiError(response.status, `${response.status} ${response.statusText}`);
}

export type Query = Record<string, string | number | boolean | string[] | undefined>;

/** Write a path with its query; what is undefined or empty is left out. */
export function address(path: string, query: Query = {}): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((each) => found.append(name, each));
    else if (value !== undefined && value !== '') found.set(name, String(value));
  }
  const text = found.toString();
  return text ? `${path}?${text}` : path;
}

/** Write the parts of a path; each may hold anything. */
export function segments(...parts: string[]): string {
  return parts.map(encodeURIComponent).join('/');
}

/** Get something that may change, once changes are followed. */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  await followed();
  return getAtOnce(path, query, signal);
}

export async function getAtOnce<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const response = await send(address(path, query), {
    headers: { accept: 'application/json' },
    signal: signal ?? null,
  });
  return parseJson(await response.text()) as T;
}

/** Get what other tabs show as well: after a change one of them asks, and all have it. */
export async function getShared<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
  const load = async (url: string) => (await send(url, { headers: { accept: 'application/json' }, signal })).text();
  await followed();
  return parseJson(await shared(address(path, query), load, signal)) as T;
}

export async function getText(path: string, query?: Query): Promise<string> {
  return (await send(address(path, query), {})).text();
}

export async function getBlob(path: string): Promise<Blob> {
  return (await send(path, {})).blob();
}

/** Get the bytes of a file from `start` up to `stop`. */
export async function getPart(path: string, start: number, stop: number, signal?: AbortSignal): Promise<ArrayBuffer> {
  const response = await send(path, { headers: { range: `bytes=${start}-${stop - 1}` }, signal: signal ?? null });
  const found = await response.arrayBuffer();
  // Something in between may not know ranges, and send the whole.
  return response.status === 206 ? found : found.slice(start, stop);
}

export async function call<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  key?: string,
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (key !== undefined) headers['idempotency-key'] = key;
  const response = await send(path, {
    method,
    headers,
    body: body === undefined ? null : writeJson(body as Json),
  });
  return parseJson(await response.text()) as T;
}

/** Store a file on the server; returns the value that stands for it. */
export async function upload(file: File): Promise<JsonObject> {
  const response = await send('/api/v1/blobs', {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file,
  });
  const stored = parseJson(await response.text()) as { digest: string };
  return { $blob: stored.digest, size: file.size, media: file.type || 'application/octet-stream', name: file.name };
}
