/**
 * Who asks. A link may carry a one-time code in the fragment of the address, which is sent to nobody. It is traded for a cookie that no script can
 * read, and never in silence while somebody else is signed in.
 */
import { queryOptions } from '@tanstack/react-query';
import { forgetDrafts, ownDrafts } from '../answer/draft';
import { ApiError, call, getAtOnce as get } from './client';
import { sessionResumed } from './ended';
import type { CodeView, SessionList, SessionView } from './types';

const SESSION = '/api/v1/session';
const SESSIONS = '/api/v1/sessions';
const SECRETS = ['code', 'token'];

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => {
    const session = await get<SessionView>(SESSION);
    drawnFor ??= session.name;
    sessionResumed();
    ownDrafts(session.name);
    return session;
  },
  staleTime: 60_000,
  retry: false,
});

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: () => get<SessionList>(SESSIONS),
  staleTime: 0,
});

export function endSession(id: string): Promise<SessionList> {
  return call<SessionList>('DELETE', `${SESSIONS}/${encodeURIComponent(id)}`);
}

export async function signIn(by: { token: string } | { code: string }): Promise<SessionView> {
  const session = await call<SessionView>('POST', SESSION, by);
  tellOtherTabs('entered');
  return session;
}

/** End the session, and leave nothing of it in this browser: not in its store, not in its caches, not in other tabs. */
export async function signOut(): Promise<void> {
  try {
    await call<SessionView>('DELETE', SESSION);
  } finally {
    forgetDrafts();
    tellOtherTabs('left');
    if ('caches' in window) for (const name of await caches.keys()) await caches.delete(name);
  }
}

/** Why the link that was opened signs nobody in. */
export const link: { problem?: string } = {};

/** What a link asks for: to sign in as `name`, while `now` is signed in. */
export type Change = { code: string; name: string; now: string };

/** Do what a link asks for. Returns what somebody must be asked first. */
export async function followLink(code: string): Promise<Change | undefined> {
  try {
    const now = await get<SessionView>(SESSION).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) return undefined;
      throw error;
    });
    if (now === undefined) {
      await signIn({ code });
      return undefined;
    }
    const { name } = await call<CodeView>('POST', `${SESSION}/code`, { code });
    return name === now.name ? undefined : { code, name, now: now.name };
  } catch (error) {
    link.problem = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}

/** Return the code in the fragment, if there is one, and take it out of the address. A token there is taken out, too, and counts for nothing. */
export function takeCode(): string | undefined {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2);
  const bare = SECRETS.some((each) => path.startsWith(`${each}=`));
  const params = new URLSearchParams(bare ? path : query);
  if (!SECRETS.some((each) => params.has(each))) return undefined;
  const code = params.get('code') ?? undefined;
  for (const each of SECRETS) params.delete(each);
  const rest = params.toString();
  history.replaceState(null, '', `#${bare ? '/' : path}${rest ? `?${rest}` : ''}`);
  return code;
}

/** One object for hearing and telling: a tab does not hear itself by it. */
const channel = new BroadcastChannel('tidegate-session');

function tellOtherTabs(what: 'entered' | 'left'): void {
  channel.postMessage(what);
}

/** Who this page was drawn for. */
let drawnFor: string | undefined;

/** Go on where one was if the same person has signed in again, elsewhere or here; for anybody else, start again. */
export function goOnAs(name: string): void {
  if (drawnFor === undefined || name === drawnFor) sessionResumed();
  else location.reload();
}

async function heard(what: unknown): Promise<void> {
  const now = what === 'entered' ? await get<SessionView>(SESSION).catch(() => undefined) : undefined;
  if (now === undefined) location.reload();
  else goOnAs(now.name);
}

/** Follow what other tabs tell of the session; start again when this one comes out of the browser's memory, and when a link is opened in it. */
export function followSession(): void {
  channel.onmessage = (event: MessageEvent<unknown>) => void heard(event.data);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
  window.addEventListener('hashchange', () => {
    if (SECRETS.some((each) => location.hash.startsWith(`#${each}=`))) location.reload();
  });
}
