import { MantineProvider } from '@mantine/core';
import '@mantine/core/styles.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { inboxQuery } from './api/queries';
import { sessionQuery, signIn, takeToken } from './api/session';
import './app/app.css';
import './show/show.css';
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

/** The server lets only those styles through that carry this. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name=tidegate-nonce]')?.content ?? '';

async function start(): Promise<void> {
  const token = takeToken();
  if (token !== undefined) await signIn(token).catch(() => undefined); // the page asks for one that is valid
  // Who asks, and what waits, are asked for at once, and before there is anything to show them with.
  void queries.prefetchQuery(sessionQuery);
  void queries.prefetchInfiniteQuery(inboxQuery({}));
  if (nonce) setNonce(nonce);
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

void start();
