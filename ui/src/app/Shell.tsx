import { Button, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { ApiError } from '../api/client';
import { useSessionEnded } from '../api/ended';
import { summaryQuery } from '../api/queries';
import { link, sessionQuery } from '../api/session';
import type { SessionView } from '../api/types';
import { clock } from '../show/time';
import { Account } from './Account';
import { Announcer } from './announce';
import { useConnection } from './connection';
import { useFind } from './find';
import { IconAlert, IconSearch } from './icons';
import { useKeys, useNavigationKeys } from './keys';
import { later } from './later';
import { NewVersion } from './NewVersion';
import { Notice } from './notice';
import { Places } from './places';
import { ShortcutHelp } from './ShortcutHelp';
import { countInTitle, setTitle } from './title';
import './shell.css';
import { SignIn, SignInAgain } from './SignIn';

const loadAnswer = later(() => import('../answer/AnswerDialog'));
const AnswerDialog = lazy(() => loadAnswer().then((module) => ({ default: module.AnswerDialog })));

/** Everything around a page: who asks, where one can go, whether the server is there, and the dialog over all pages. */
export function Shell() {
  const session = useQuery(sessionQuery);
  const ended = useSessionEnded();
  if (!session.data) {
    if (session.error instanceof ApiError && session.error.status === 401) return <SignIn refused={link.problem} />;
    return (
      <main className="alone">
        {session.error ? (
          <p role="alert">{session.error.message} This page continues by itself when it is back.</p>
        ) : (
          <Loader aria-label="Loading" />
        )}
      </main>
    );
  }
  return (
    <>
      <SignedIn key={session.data.name} session={session.data} />
      {ended && <SignInAgain name={session.data.name} />}
    </>
  );
}

function SignedIn({ session }: { session: SessionView }) {
  useNavigationKeys();
  const find = useFind();
  useKeys({ '/': find });
  const { task } = useSearch({ from: '__root__' });
  const waiting = useWaitingCount();
  return (
    <>
      <a className="skip" href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <header className="topbar">
        <Link to="/" className="brand">
          <img src="/icon.svg" width={20} height={20} alt="" />
          Tidegate
        </Link>
        <nav aria-label="Main">
          <Places waiting={waiting} />
        </nav>
        <Button
          className="find"
          variant="subtle"
          aria-label="Find (/)"
          leftSection={<IconSearch size={16} />}
          rightSection={<kbd className="kbd">/</kbd>}
          onClick={find}
        >
          Find
        </Button>
        <ShortcutHelp />
        <Account session={session} />
      </header>
      <GoneBanner />
      <NewVersion />
      <main className="main">
        <div id="main" tabIndex={-1} className="page">
          <Suspense fallback={<Loader aria-label="Loading" />}>
            <Outlet />
          </Suspense>
        </div>
      </main>
      <nav aria-label="Main, at the bottom" className="tabbar">
        <Places waiting={waiting} icons />
      </nav>
      <Notice />
      <Announcer />
      {task !== undefined && (
        <Suspense>
          <AnswerDialog task={task} />
        </Suspense>
      )}
    </>
  );
}

function focusMain(event: React.MouseEvent): void {
  event.preventDefault(); // the fragment is the router's
  document.getElementById('main')?.focus();
}

const TITLES = [
  ['/', 'Inbox'],
  ['/executions', 'Executions'],
  ['/workflows', 'Workflows'],
] as const;

/** How many wait for this person. Also in the title of the tab. */
function useWaitingCount(): string {
  const { data } = useQuery(summaryQuery);
  const count = data && data.yours > 0 ? `${data.yours}${data.bounded ? '+' : ''}` : '';
  const { pathname } = useLocation();
  const page = TITLES.find(([path]) => pathname === path || pathname === `${path}/`)?.[1];
  useEffect(() => {
    // A page about one thing names it itself.
    if (page !== undefined) setTitle(page);
  }, [page]);
  useEffect(() => countInTitle(count), [count]);
  return count;
}

function GoneBanner() {
  const { since } = useConnection();
  return (
    <div aria-live="assertive" className="gone-place">
      {since && (
        <div className="bar gone">
          <IconAlert size={16} />
          <span>
            <b>No connection to the server.</b> Shown as of {clock(since)}; this page continues by itself when it is
            back.
          </span>
        </div>
      )}
    </div>
  );
}
