/** Live updates: the server says when something may be new; where its stream doesn't get through, asking every few seconds does. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { setLive } from './client.ts'
import { apiUrl } from './http.ts'

/** Shortest time between two readings that the server's hints lead to, in milliseconds. */
const shortestPause = 2000
/** How long to wait after a stream that was refused, in milliseconds. */
const retryAfter = 30_000

/** Keeps what is on the screen up to date while the tab is in sight. */
export function useLive(isSignedIn: boolean): void {
  const client = useQueryClient()
  useEffect(() => {
    if (!isSignedIn) return
    let stream: EventSource | null = null
    let next: ReturnType<typeof setTimeout> | undefined
    let again: ReturnType<typeof setTimeout> | undefined
    const refresh = (): void => {
      next ??= setTimeout(() => {
        next = undefined
        void client.invalidateQueries({ predicate: ({ meta }) => meta?.isStill !== true })
      }, shortestPause)
    }
    const close = (): void => {
      stream?.close()
      stream = null
      setLive(false)
      clearTimeout(next)
      clearTimeout(again)
      next = undefined
    }
    const open = (): void => {
      stream = new EventSource(apiUrl('events'))
      stream.addEventListener('open', () => setLive(true))
      stream.addEventListener('changed', refresh)
      stream.addEventListener('error', () => {
        setLive(false)
        // After a refusal the browser doesn't come again by itself.
        if (stream?.readyState === EventSource.CLOSED) again = setTimeout(open, retryAfter)
      })
    }
    const follow = (): void => {
      close()
      if (document.hidden) return
      open()
    }
    follow()
    document.addEventListener('visibilitychange', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      close()
    }
  }, [client, isSignedIn])
}
