/** What has been read, and when it is read again. */
import { QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from './http.ts'

/** How often what is on the screen is read again, in milliseconds; not while the tab is hidden. */
export const pollEvery = 5000

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
      refetchInterval: pollEvery,
      refetchIntervalInBackground: false,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status !== null && error.status < 500),
    },
  },
})
