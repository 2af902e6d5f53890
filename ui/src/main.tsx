import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { summaryQuery } from './api/queries';
import { followLink, followSession, sessionQuery, takeCode, type Change } from './api/session';
import './app/mantine';
import './app/tokens.css';
import './app/controls.css';
import './app/app.css';
import { ChangeOfPerson } from './app/ChangeOfPerson';
import './show/show.css';
import { followLinks } from './app/focusBack';
import { follow } from './app/following';
import { shieldEscape } from './app/keys';
import { router } from './app/router';
import { theme, variables } from './app/theme';

const RETRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // The stream tells what changed, and the connection says when to ask again.
      retry: (count, error) => count < RETRIES && !(error instanceof ApiError && error.status < 500),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

function App({ asked }: { asked: Change | undefined }) {
  const [change, setChange] = useState(asked);
  if (change === undefined) return <RouterProvider router={router} />;
  return (
    <ChangeOfPerson
      change={change}
      onDone={() => {
        queries.clear();
        setChange(undefined);
      }}
    />
  );
}

/** The server lets only those styles through that carry this. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name=tidegate-nonce]')?.content ?? '';

async function start(): Promise<void> {
  const code = takeCode();
  const change = code === undefined ? undefined : await followLink(code);
  followSession();
  shieldEscape();
  follow(queries);
  followLinks(router.history);
  // Who asks, and what waits, are asked for at once, and before there is anything to show them with.
  void queries.prefetchQuery(sessionQuery);
  void queries.prefetchQuery(summaryQuery);
  if (nonce) setNonce(nonce);
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        defaultColorScheme="auto"
        deduplicateCssVariables={false}
        getStyleNonce={() => nonce}
      >
        <QueryClientProvider client={queries}>
          <App asked={change} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

void start();
