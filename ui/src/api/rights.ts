/** What a person may do, and where: the same rules as the server's, so that the page offers nothing that would be refused. The server decides. */
import { useQuery } from '@tanstack/react-query';
import { sessionQuery } from './session';
import type { GrantView } from './types';

export type Place = { project: string; domain: string };

const OPERATE = new Set(['operator', 'admin']);
const ANSWER = new Set(['approver', 'admin']);

/** Whether a pattern of a grant, in which `*` stands for any characters, fits a name. */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

function may(roles: ReadonlySet<string>, grants: readonly GrantView[], place: Place | undefined): boolean {
  return grants.some(
    ({ role, project, domain }) =>
      roles.has(role) && (place === undefined || (fits(project, place.project) && fits(domain, place.domain))),
  );
}

/** Whether somebody may launch, launch again and terminate: there, or anywhere at all. */
export function mayOperate(grants: readonly GrantView[], place?: Place): boolean {
  return may(OPERATE, grants, place);
}

/** Whether somebody may answer what is asked there. */
export function mayAnswer(grants: readonly GrantView[], place?: Place): boolean {
  return may(ANSWER, grants, place);
}

/** Whether somebody may see what belongs to no project, such as the servers. */
export function mayReadAll(grants: readonly GrantView[]): boolean {
  return grants.some(({ project, domain }) => project === '*' && domain === '*');
}

/** What the one who looks at this page may do. */
export function useRights(place?: Place): { operate: boolean; answer: boolean } {
  const grants = useQuery(sessionQuery).data?.grants ?? [];
  return { operate: mayOperate(grants, place), answer: mayAnswer(grants, place) };
}
