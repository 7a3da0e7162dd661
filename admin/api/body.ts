/** The body of a message: whole where it is small, by parts where it is large. */
import { queryOptions } from '@tanstack/react-query'
import { still } from './client.ts'
import { call } from './http.ts'

/** Up to this size, in bytes, a body is read whole and laid out as JSON. */
export const mostWhole = 4 * 1024 * 1024
/** Size of a part of a larger one, in bytes. */
export const partSize = 128 * 1024

/** @param part from 0; null: the whole body */
export function bodyQuery(id: string, part: number | null) {
  return queryOptions({
    queryKey: ['body', id, part],
    ...still,
    queryFn: async ({ signal }) => {
      const headers: Record<string, string> = part === null ? {} : { Range: `bytes=${part * partSize}-${(part + 1) * partSize - 1}` }
      const response = await call(`messages/${id}/body`, { headers, signal })
      return { text: await response.text(), type: response.headers.get('Content-Type') ?? '' }
    },
  })
}
