/** As much of Payload's Local API as the adapter uses, by shape: Payload itself is the site's, and is not imported here. */

/** A document as the Local API gives it with `depth: 0`. */
export type Doc = Record<string, unknown> & { id: string | number }

export interface LocalApi {
  find(options: {
    collection: string
    where: Record<string, unknown>
    depth: 0
    limit: number
    pagination: false
    trash: boolean
    draft: boolean
  }): Promise<{ docs: unknown[] }>
  create(options: { collection: string; data: Record<string, unknown>; depth: 0; draft: boolean; context: WriteContext }): Promise<unknown>
  update(options: {
    collection: string
    id: string | number
    data: Record<string, unknown>
    depth: 0
    draft: boolean
    context: WriteContext
  }): Promise<unknown>
  db: { defaultIDType: 'number' | 'text' }
}

/** Tells the plugin's hook which message a write comes from. */
export type WriteContext = { sluice: string }
