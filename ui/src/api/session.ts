/** Who asks. A token comes in the fragment of the address, which is sent to nobody, and is traded for a cookie that no script can read. */
import { queryOptions } from '@tanstack/react-query';
import { call, get } from './client';
import type { SessionView } from './types';

const SESSION = '/api/v1/session';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => get<SessionView>(SESSION),
  staleTime: 60_000,
  retry: false,
});

export function signIn(token: string): Promise<SessionView> {
  return call<SessionView>('POST', SESSION, { token });
}

export function signOut(): Promise<SessionView> {
  return call<SessionView>('DELETE', SESSION);
}

/** Return the token in the fragment, if there is one, and take it out of the address. */
export function takeToken(): string | undefined {
  const [path = '', query = ''] = location.hash.slice(1).split('?', 2);
  const bare = path.startsWith('token=');
  const params = new URLSearchParams(bare ? path : query);
  const token = params.get('token') ?? undefined;
  if (token === undefined) return undefined;
  params.delete('token');
  const rest = params.toString();
  history.replaceState(null, '', `#${bare ? '/' : path}${rest ? `?${rest}` : ''}`);
  return token;
}
