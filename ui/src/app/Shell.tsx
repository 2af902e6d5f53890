import {
  ActionIcon,
  Anchor,
  AppShell,
  Badge,
  Box,
  Burger,
  Button,
  Group,
  Loader,
  Menu,
  Text,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { ApiError } from '../api/client';
import { inboxQuery } from '../api/queries';
import { link, sessionQuery, signOut } from '../api/session';
import { clock } from '../show/time';
import { useConnection } from './connection';
import { IconAlert, IconMoon, IconSun, IconSystem } from './icons';
import { later } from './later';
import { NewVersion } from './NewVersion';
import { Notice } from './notice';
import { ShortcutHelp } from './ShortcutHelp';
import { SignIn } from './SignIn';
import { useLive } from './useLive';
import { useNavigationKeys } from './keys';

const loadAnswer = later(() => import('../answer/AnswerDialog'));
const AnswerDialog = lazy(() => loadAnswer().then((module) => ({ default: module.AnswerDialog })));

const Sessions = lazy(() => import('./Sessions').then((module) => ({ default: module.Sessions })));

/** Everything around a page: who asks, where one can go, whether the server is there, and the dialog over all pages. */
export function Shell() {
  const session = useQuery(sessionQuery);
  if (session.error instanceof ApiError && session.error.status === 401) return <SignIn refused={link.problem} />;
  if (session.error && !session.data) {
    return (
      <Group component="main" justify="center" mt="20vh" role="alert">
        <Text>{session.error.message} This page continues by itself when it is back.</Text>
      </Group>
    );
  }
  if (!session.data)
    return (
      <Group justify="center" mt="20vh">
        <Loader aria-label="Loading" />
      </Group>
    );
  return <SignedIn key={session.data.name} name={session.data.name} />;
}

function SignedIn({ name }: { name: string }) {
  useLive();
  useNavigationKeys();
  const [menu, { toggle, close }] = useDisclosure();
  const { task } = useSearch({ from: '__root__' });
  const waiting = useWaitingCount();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { desktop: true, mobile: !menu } }}
      padding="md"
    >
      <a className="skip" href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="lg" wrap="nowrap">
            <Burger
              opened={menu}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={menu ? 'Close the menu' : 'Open the menu'}
            />
            <Anchor component={Link} to="/" className="brand" underline="never">
              <img src="/icon.svg" width={22} height={22} alt="" />
              Tidegate
            </Anchor>
            <Group component="nav" aria-label="Main" gap="xs" visibleFrom="sm" wrap="nowrap">
              <Places waiting={waiting} onGo={close} />
            </Group>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ShortcutHelp />
            <Scheme />
            <Account name={name} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="md" hiddenFrom="sm">
        <Box component="nav" aria-label="Main" className="places">
          <Places waiting={waiting} onGo={close} />
        </Box>
      </AppShell.Navbar>
      <AppShell.Main>
        <GoneBanner />
        <NewVersion />
        <div id="main" tabIndex={-1} className="page">
          <Suspense fallback={<Loader aria-label="Loading" />}>
            <Outlet />
          </Suspense>
        </div>
        <Notice />
        {task !== undefined && (
          <Suspense>
            <AnswerDialog task={task} />
          </Suspense>
        )}
      </AppShell.Main>
    </AppShell>
  );
}

function focusMain(event: React.MouseEvent): void {
  event.preventDefault(); // the fragment is the router's
  document.getElementById('main')?.focus();
}

const PLACES = [
  ['/executions', 'Executions'],
  ['/workflows', 'Workflows'],
] as const;

/** How many wait, as far as one page tells: `100+` when there are more. Also the title of the tab. */
function useWaitingCount(): string {
  const { data } = useInfiniteQuery(inboxQuery({}));
  const items = data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  const count = items === 0 ? '' : `${items}${data?.pages.at(-1)?.next ? '+' : ''}`;
  const { pathname } = useLocation();
  useEffect(() => {
    document.title = `${count && `(${count}) `}${PLACES.find(([path]) => pathname.startsWith(path))?.[1] ?? 'Inbox'} · Tidegate`;
  }, [count, pathname]);
  return count;
}

function Places({ waiting, onGo }: { waiting: string; onGo: () => void }) {
  const active = { className: 'place place-active', 'aria-current': 'page' as const };
  return (
    <>
      <Link
        to="/"
        className="place"
        activeProps={active}
        activeOptions={{ exact: true, includeSearch: false }}
        onClick={onGo}
      >
        Inbox{' '}
        {waiting && (
          <Badge className="count" size="sm" radius="xl">
            {waiting}
            <VisuallyHidden> waiting</VisuallyHidden>
          </Badge>
        )}
      </Link>
      <Link
        to="/executions"
        className="place"
        activeProps={active}
        activeOptions={{ includeSearch: false }}
        onClick={onGo}
      >
        Executions
      </Link>
      <Link
        to="/workflows"
        className="place"
        activeProps={active}
        activeOptions={{ includeSearch: false }}
        onClick={onGo}
      >
        Workflows
      </Link>
    </>
  );
}

const SCHEMES = [
  { value: 'light', label: 'Light', icon: <IconSun /> },
  { value: 'dark', label: 'Dark', icon: <IconMoon /> },
  { value: 'auto', label: 'System', icon: <IconSystem /> },
] as const;

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const now = SCHEMES.find((each) => each.value === colorScheme) ?? SCHEMES[2];
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={`Colours: ${now.label}`}>
          {now.icon}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map((each) => (
          <Menu.Item
            key={each.value}
            leftSection={each.icon}
            onClick={() => setColorScheme(each.value)}
            fw={each === now ? 600 : undefined}
          >
            {each.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Account({ name }: { name: string }) {
  const queries = useQueryClient();
  const [listed, { open, close }] = useDisclosure();
  const leave = () =>
    void signOut()
      .catch(() => undefined)
      .finally(() => {
        queries.clear();
        location.reload();
      });
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" size="compact-md" h={34} maw={160} aria-label={`Signed in as ${name}`}>
            {name}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={open}>Sessions</Menu.Item>
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

function GoneBanner() {
  const { since } = useConnection();
  return (
    <div aria-live="assertive">
      {since && (
        <Group className="gone" gap="xs" wrap="nowrap">
          <IconAlert />
          <Text>
            No connection to the server. Shown as of {clock(since)}; this page continues by itself when it is back.
          </Text>
        </Group>
      )}
    </div>
  );
}
