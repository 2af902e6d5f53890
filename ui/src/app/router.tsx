import { createHashHistory, createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { InboxPage } from '../pages/inbox/InboxPage';
import { NotFound } from './NotFound';
import { PageError } from './PageError';
import { Shell } from './Shell';

/** `task` names the request whose dialog is open, over any page: `<execution>:<path>`. */
export type RootSearch = { task?: string };

function validateSearch(search: Record<string, unknown>): RootSearch {
  return search.task === undefined ? {} : { task: String(search.task) };
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageError, validateSearch });

const inbox = createRoute({ getParentRoute: () => root, path: '/', component: InboxPage });
const executions = createRoute({
  getParentRoute: () => root,
  path: '/executions',
  component: lazyRouteComponent(() => import('../pages/executions/ExecutionsPage'), 'ExecutionsPage'),
});
const execution = createRoute({
  getParentRoute: () => root,
  path: '/executions/$id',
  component: lazyRouteComponent(() => import('../pages/execution/ExecutionPage'), 'ExecutionPage'),
});
const workflows = createRoute({
  getParentRoute: () => root,
  path: '/workflows',
  component: lazyRouteComponent(() => import('../pages/workflows/WorkflowsPage'), 'WorkflowsPage'),
});
const workflow = createRoute({
  getParentRoute: () => root,
  path: '/workflows/$name',
  component: lazyRouteComponent(() => import('../pages/workflows/WorkflowPage'), 'WorkflowPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([inbox, executions, execution, workflows, workflow]),
  history: createHashHistory(),
  defaultErrorComponent: PageError,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
