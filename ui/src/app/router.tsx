import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { InboxPage } from '../pages/inbox/InboxPage';
import { readSearch, type InboxSearch } from '../pages/inbox/search';
import { later } from './later';
import { NotFound } from './NotFound';
import { PageError } from './PageError';
import { Shell } from './Shell';

/** `task` names the request whose dialog is open, over any page: `<execution>:<path>`. */
export type RootSearch = { task?: string };

function validateSearch(search: Record<string, unknown>): RootSearch {
  return search.task === undefined ? {} : { task: String(search.task) };
}

const text = (value: unknown): string | undefined => (value === undefined || value === '' ? undefined : String(value));

/** Leave out what is missing, so that it does not appear in the URL. */
function kept<T extends RootSearch>(search: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

export type ExecutionSearch = RootSearch & { tab?: string; node?: string };
export type ExecutionsSearch = RootSearch & {
  phase?: string;
  end?: string;
  text?: string;
  workflow?: string;
  launched?: string;
};
/** `again` is an execution to launch again, with its inputs to begin with. */
export type WorkflowSearch = RootSearch & { version?: string; again?: string };

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: PageError,
  validateSearch,
});

const inbox = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: (search: Record<string, unknown>): RootSearch & InboxSearch => ({
    ...validateSearch(search),
    ...readSearch(search),
  }),
  component: InboxPage,
});
/** The inbox is the first page; its name leads there, too, with all that stands behind it. */
const named = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: (search: Record<string, unknown>): RootSearch & InboxSearch => ({
    ...validateSearch(search),
    ...readSearch(search),
  }),
  beforeLoad: ({ search }) => {
    throw redirect({ to: '/', search, replace: true });
  },
});
const executions = createRoute({
  getParentRoute: () => root,
  path: '/executions',
  validateSearch: (search: Record<string, unknown>) =>
    kept<ExecutionsSearch>({
      ...validateSearch(search),
      phase: text(search.phase),
      end: text(search.end),
      text: text(search.text),
      workflow: text(search.workflow),
      launched: text(search.launched),
    }),
  component: lazyRouteComponent(
    later(() => import('../pages/executions/ExecutionsPage')),
    'ExecutionsPage',
  ),
});
const execution = createRoute({
  getParentRoute: () => root,
  path: '/executions/$id',
  validateSearch: (search: Record<string, unknown>) =>
    kept<ExecutionSearch>({ ...validateSearch(search), tab: text(search.tab), node: text(search.node) }),
  component: lazyRouteComponent(
    later(() => import('../pages/execution/ExecutionPage')),
    'ExecutionPage',
  ),
});
const workflows = createRoute({
  getParentRoute: () => root,
  path: '/workflows',
  component: lazyRouteComponent(
    later(() => import('../pages/workflows/WorkflowsPage')),
    'WorkflowsPage',
  ),
});
const workflow = createRoute({
  getParentRoute: () => root,
  path: '/workflows/$name',
  validateSearch: (search: Record<string, unknown>) =>
    kept<WorkflowSearch>({
      ...validateSearch(search),
      version: text(search.version),
      again: text(search.again),
    }),
  component: lazyRouteComponent(
    later(() => import('../pages/workflows/WorkflowPage')),
    'WorkflowPage',
  ),
});
const servers = createRoute({
  getParentRoute: () => root,
  path: '/servers',
  validateSearch,
  component: lazyRouteComponent(
    later(() => import('../pages/servers/ServersPage')),
    'ServersPage',
  ),
});

export const router = createRouter({
  routeTree: root.addChildren([inbox, named, executions, execution, workflows, workflow, servers]),
  history: createHashHistory(),
  defaultErrorComponent: PageError,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
