/** The addresses of the UI; `src/http/admin.ts` has the same. Whatever a page shows stands in its URL. */
import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { NotFound } from './components/NotFound.tsx'
import { Shell } from './components/Shell.tsx'
import { InstancePage } from './pages/InstancePage.tsx'
import { MessagePage } from './pages/MessagePage.tsx'
import { MessagesPage } from './pages/MessagesPage.tsx'
import { ObjectPage } from './pages/ObjectPage.tsx'
import { TaskRunPage } from './pages/TaskRunPage.tsx'
import { baseUrl } from './place.ts'
import { pick, readSearch, writeSearch } from './search.ts'

// Each route is a constant: inside the array of children TypeScript would not infer their paths.
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/messages' })
  },
})
const messages = createRoute({
  getParentRoute: () => root,
  path: '/messages',
  component: MessagesPage,
  validateSearch: pick('integration', 'status', 'source', 'from', 'to', 'externalId', 'text', 'cursor'),
})
const message = createRoute({
  getParentRoute: () => root,
  path: '/messages/$id',
  component: MessagePage,
  validateSearch: pick('status', 'outcome', 'errorCode', 'cursor', 'body', 'place', 'part'),
})
const instance = createRoute({ getParentRoute: () => root, path: '/instances/$id', component: InstancePage })
const object = createRoute({
  getParentRoute: () => root,
  path: '/objects',
  component: ObjectPage,
  validateSearch: pick('integration', 'externalId', 'cursor'),
})
const taskRun = createRoute({ getParentRoute: () => root, path: '/tasks/$id', component: TaskRunPage })

export const router = createRouter({
  routeTree: root.addChildren([overview, messages, message, instance, object, taskRun]),
  basepath: baseUrl.pathname,
  parseSearch: readSearch,
  stringifySearch: writeSearch,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
