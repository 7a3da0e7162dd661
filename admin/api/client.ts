/** What has been read, and when it is read again. */
import { QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from './http.ts'

/** How often what is on the screen is read again, in milliseconds: by itself, and while the server says when. Not while the tab is hidden. */
const pollEvery = 5000
const pollWhileLive = 30_000

let isLive = false

/** Notes whether the server says when there is something new. */
export function setLive(value: boolean): void {
  isLive = value
}

/** Time until the next reading, in milliseconds. */
export function pollInterval(): number {
  return isLive ? pollWhileLive : pollEvery
}

/** Options of a query that is read once: what it reads doesn't change, or costs too much to follow. */
export const still = { staleTime: Number.POSITIVE_INFINITY, refetchInterval: false, meta: { isStill: true } } as const

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError(error, query) {
      // The session ended in between: the sign-in takes the place of the page.
      if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== 'session') queryClient.setQueryData(['session'], null)
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2000,
      refetchInterval: pollInterval,
      refetchIntervalInBackground: false,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status !== null && error.status < 500),
    },
  },
})
