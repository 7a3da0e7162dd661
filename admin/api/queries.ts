/** The reads of the API. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type {
  ErrorGroup,
  Instance,
  InstanceItem,
  IntegrationView,
  Message,
  ObjectHistory,
  Overview,
  Page,
  Session,
  TargetObject,
  TaskRun,
  TaskView,
  TokenView,
} from '../../src/http/contract/index.ts'
import { memberText } from '../json/scan.ts'
import { still } from './client.ts'
import { ApiError, call, get } from './http.ts'

/** Filters and place of a list, as they stand in the URL. */
export type ListQuery = Record<string, string | undefined>

/** Items of a page of a list. */
export const pageSize = 50

/** Where the server stops counting what a run would do, and the failures of one cause. */
export const mostCounted = 100_000

/** Set in the browser while somebody is signed in: the cookie itself can't be seen from here. */
const signedInMark = 'sluice-signed-in'

/** Notes that somebody signed in or out, so that nobody's first sight of the UI is a refused request. */
export function noteSignedIn(isSignedIn: boolean): void {
  if (isSignedIn) localStorage.setItem(signedInMark, '1')
  else localStorage.removeItem(signedInMark)
}

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  ...still,
  queryFn: async ({ signal }) => {
    if (localStorage.getItem(signedInMark) === null) return null
    try {
      return await get<Session>('session', {}, signal)
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null
      throw error
    }
  },
})

function listQuery<Item>(path: string, query: ListQuery, limit = pageSize) {
  return queryOptions({
    queryKey: [path, query, limit],
    queryFn: ({ signal }) => get<Page<Item>>(path, { ...query, limit: query.limit ?? limit }, signal),
    placeholderData: keepPreviousData,
  })
}

export const messagesQuery = (query: ListQuery) => ({
  ...listQuery<Message>('messages', query),
  // A search for text reads much: once is enough.
  ...(query.text === undefined ? {} : still),
})
export const messageInstancesQuery = (id: string, query: ListQuery) => listQuery<InstanceItem>(`messages/${id}/instances`, query)
export const instancesQuery = (query: ListQuery) => listQuery<InstanceItem>('instances', query)
export const errorsQuery = (query: ListQuery) => listQuery<ErrorGroup>('errors', query)
export const integrationsQuery = listQuery<IntegrationView>('integrations', {}, 1000)
export const tasksQuery = listQuery<TaskView>('tasks', {})
export const taskRunsQuery = (query: ListQuery) => listQuery<TaskRun>('task-runs', query)
export const tokensQuery = (query: ListQuery) => listQuery<TokenView>('tokens', query)

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => get<Overview>('overview', {}, signal),
})

export function integrationQuery(name: string) {
  return queryOptions({
    queryKey: ['integration', name],
    queryFn: ({ signal }) => get<IntegrationView>(`integrations/${encodeURIComponent(name)}`, {}, signal),
  })
}

export function messageQuery(id: string) {
  return queryOptions({ queryKey: ['message', id], queryFn: ({ signal }) => get<Message>(`messages/${id}`, {}, signal) })
}

export function taskRunQuery(id: string) {
  return queryOptions({
    queryKey: ['task-run', id],
    queryFn: ({ signal }) => get<TaskRun>(`task-runs/${id}`, {}, signal),
    refetchInterval: ({ state }) => (state.data?.finishedAt == null ? 1000 : false),
  })
}

/** An instance, and the text of its object as it was sent: parsed, its numbers would lose digits. */
export type InstanceWithText = Instance & { dataText: string }

export function instanceQuery(id: string) {
  return queryOptions({
    queryKey: ['instance', id],
    queryFn: async ({ signal }): Promise<InstanceWithText> => {
      const text = await (await call(`instances/${id}`, { signal })).text()
      return { ...(JSON.parse(text) as Instance), dataText: memberText(text, 'data') ?? '' }
    },
  })
}

/** What stands in the target for an object, and its row as text: parsed, its numbers would lose digits. */
export function targetQuery(integration: string, externalId: string) {
  return queryOptions({
    queryKey: ['target', integration, externalId],
    queryFn: async ({ signal }): Promise<TargetObject & { rowText: string | null }> => {
      const path = `objects/${encodeURIComponent(integration)}/${encodeURIComponent(externalId)}/target`
      const text = await (await call(path, { signal })).text()
      const target = JSON.parse(text) as TargetObject
      return { ...target, rowText: target.row === null ? null : (memberText(text, 'row') ?? null) }
    },
  })
}

export function objectQuery(integration: string, externalId: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: ['object', integration, externalId, cursor],
    queryFn: ({ signal }) =>
      get<ObjectHistory>(
        `objects/${encodeURIComponent(integration)}/${encodeURIComponent(externalId)}`,
        { limit: pageSize, cursor },
        signal,
      ),
    placeholderData: keepPreviousData,
  })
}
