import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { mayReadAll } from '../api/rights';
import { signOut } from '../api/session';
import type { SessionView } from '../api/types';
import { IconMoon, IconSun, IconSystem } from './icons';
import { useSingleKeys } from './keys';
import { later } from './later';
import { initials } from './initials';

const loadSessions = later(() => import('./Sessions'));
const Sessions = lazy(() => loadSessions().then((module) => ({ default: module.Sessions })));

const SCHEMES = [
  { value: 'light', label: 'Light', icon: <IconSun size={16} /> },
  { value: 'dark', label: 'Dark', icon: <IconMoon size={16} /> },
  { value: 'auto', label: 'As the system', icon: <IconSystem size={16} /> },
] as const;

/** Who is signed in, what they may do, and what they have chosen for this browser. */
export function Account({ session }: { session: SessionView }) {
  const queries = useQueryClient();
  const [listed, { open, close }] = useDisclosure();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [keys, setKeys] = useSingleKeys();
  const leave = () =>
    void signOut()
      .catch(() => undefined)
      .finally(() => {
        queries.clear();
        location.reload();
      });
  return (
    <>
      <Menu position="bottom-end" withinPortal width={280}>
        <Menu.Target>
          <UnstyledButton className="place me" aria-label={`Signed in as ${session.name}`}>
            <span className="initials" aria-hidden>
              {initials(session.name)}
            </span>
            <span className="me-name ell">{session.name}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{session.name} may act as</Menu.Label>
          <ul className="grants">
            {session.grants.map((each) => (
              <li key={`${each.role} ${each.project} ${each.domain}`}>
                <b>{each.role}</b> <span className="dim">{where(each)}</span>
              </li>
            ))}
            {session.grants.length === 0 && <li className="dim">nobody yet: an administrator grants a role</li>}
          </ul>
          <p className="grants-end small dim">{endWords(session.expires)}</p>
          <Menu.Divider />
          <Menu.Label>Colours</Menu.Label>
          {SCHEMES.map((each) => (
            <Menu.RadioItem
              key={each.value}
              value={each.value}
              checked={each.value === colorScheme}
              rightSection={each.icon}
              onChange={() => setColorScheme(each.value)}
            >
              {each.label}
            </Menu.RadioItem>
          ))}
          <Menu.Divider />
          <Menu.CheckboxItem checked={keys} onChange={setKeys}>
            Single-key shortcuts
          </Menu.CheckboxItem>
          <Menu.Item onClick={open}>Sessions</Menu.Item>
          {mayReadAll(session.grants) && (
            <Menu.Item component={Link} to="/servers">
              Servers
            </Menu.Item>
          )}
          <Menu.Item onClick={leave}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {listed && (
        <Suspense>
          <Sessions onClose={close} />
        </Suspense>
      )}
    </>
  );
}

const END = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** When one must sign in again at the latest. */
function endWords(expires: string | null): string {
  if (expires === null) return 'Your sign-in does not expire.';
  return `Signed in until ${END.format(new Date(expires))}, or until 12 hours have passed without a request.`;
}

function where({ project, domain }: { project: string; domain: string }): string {
  const places = [project !== '*' && project && `project ${project}`, domain !== '*' && domain && `domain ${domain}`];
  return places.filter(Boolean).join(', ') || 'everywhere';
}
