/** The addresses of the UI; `src/http/admin.ts` has the same. Whatever a page shows stands in its URL. */
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { Failure } from './components/Failure.tsx'
import { NotFound } from './components/NotFound.tsx'
import { Shell } from './components/Shell.tsx'
import { AccessPage } from './pages/AccessPage.tsx'
import { ErrorsPage } from './pages/ErrorsPage.tsx'
import { InstancePage } from './pages/InstancePage.tsx'
import { InstancesPage } from './pages/InstancesPage.tsx'
import { IntegrationPage } from './pages/IntegrationPage.tsx'
import { IntegrationsPage } from './pages/IntegrationsPage.tsx'
import { MessagePage } from './pages/MessagePage.tsx'
import { MessagesPage } from './pages/MessagesPage.tsx'
import { ObjectPage } from './pages/ObjectPage.tsx'
import { OverviewPage } from './pages/OverviewPage.tsx'
import { TaskRunPage } from './pages/TaskRunPage.tsx'
import { TasksPage } from './pages/TasksPage.tsx'
import { baseUrl } from './place.ts'
import { pick, readSearch, writeSearch } from './search.ts'

// Each route is a constant: inside the array of children TypeScript would not infer their paths.
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage })
const messages = createRoute({
  getParentRoute: () => root,
  path: '/messages',
  component: MessagesPage,
  validateSearch: pick('integration', 'status', 'source', 'from', 'to', 'externalId', 'text', 'order', 'cursor', 'limit'),
})
const message = createRoute({
  getParentRoute: () => root,
  path: '/messages/$id',
  component: MessagePage,
  validateSearch: pick('status', 'outcome', 'errorCode', 'cursor', 'limit', 'body', 'place', 'part'),
})
const instances = createRoute({
  getParentRoute: () => root,
  path: '/instances',
  component: InstancesPage,
  validateSearch: pick('integration', 'externalId', 'failed', 'errorCode', 'fingerprint', 'cursor', 'limit'),
})
const instance = createRoute({ getParentRoute: () => root, path: '/instances/$id', component: InstancePage })
const object = createRoute({
  getParentRoute: () => root,
  path: '/objects',
  component: ObjectPage,
  validateSearch: pick('integration', 'externalId', 'cursor'),
})
const errors = createRoute({
  getParentRoute: () => root,
  path: '/errors',
  component: ErrorsPage,
  validateSearch: pick('integration', 'errorCode', 'cursor'),
})
const integrations = createRoute({ getParentRoute: () => root, path: '/integrations', component: IntegrationsPage })
const integration = createRoute({ getParentRoute: () => root, path: '/integrations/$name', component: IntegrationPage })
const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: TasksPage,
  validateSearch: pick('task', 'state', 'cursor'),
})
const taskRun = createRoute({ getParentRoute: () => root, path: '/tasks/$id', component: TaskRunPage })
const access = createRoute({ getParentRoute: () => root, path: '/access', component: AccessPage, validateSearch: pick('cursor') })

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    messages,
    message,
    instances,
    instance,
    object,
    errors,
    integrations,
    integration,
    tasks,
    taskRun,
    access,
  ]),
  basepath: baseUrl.pathname,
  parseSearch: readSearch,
  stringifySearch: writeSearch,
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
