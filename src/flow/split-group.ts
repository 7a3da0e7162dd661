/** Many small messages split in one transaction: one of a single object costs hardly more than its object. */
import { insertSmallChunks, type NewInstance } from '../store/instance.ts'
import { lockSmallForSplit, markAllSplit, type SplittableMessage } from '../store/message-group.ts'
import { classify } from '../store/sqlstate.ts'
import type { FlowContext } from './context.ts'
import { mostInGroup, smallBytes } from './groups.ts'
import { ObjectReader, scanLimits } from './objects.ts'
import { readInstance } from './split.ts'

/** What became of a group. */
export interface GroupSplit {
  messages: number
  instances: number
  /** Messages that have to be split each by itself: empty ones, and those that something is wrong with. */
  left: string[]
}

/**
 * Splits the oldest small messages at 1, from the one given on. A crash of the server may undo it, and they are split again: whoever
 * works on their chunks commits after it, and so makes it durable. A failure that may be of one of them leaves all as they were, to be
 * split each by itself.
 */
export async function splitGroup(context: FlowContext, integrations: readonly string[], first: string): Promise<GroupSplit> {
  const limit = context.config.worker.lease * 1000
  const locked: string[] = []
  try {
    return await context.db.transaction(
      async (tx) => {
        const messages = await lockSmallForSplit(tx, { integrations, first, size: smallBytes, limit: mostInGroup })
        locked.push(...messages.map(({ id }) => id))
        const ready: { message: SplittableMessage; instances: NewInstance[] }[] = []
        const left: string[] = []
        for (const message of messages) {
          const instances = await instancesOf(context, message)
          if (instances === null) left.push(message.id)
          else ready.push({ message, instances })
        }
        const chunks = ready.map(({ message: { id, integration, isDraft }, instances }) => ({
          messageId: id,
          integration,
          isDraft,
          instances,
        }))
        if (chunks.length > 0) {
          await insertSmallChunks(tx, chunks)
          await markAllSplit(
            tx,
            ready.map(({ message: { id }, instances: { length } }) => ({ id, total: length })),
          )
        }
        return { messages: ready.length, instances: ready.reduce((sum, { instances }) => sum + instances.length, 0), left }
      },
      { statementTimeout: limit, idleTimeout: limit, asynchronousCommit: true },
    )
  } catch (error) {
    if (classify(error) !== 'instance') throw error
    return { messages: 0, instances: 0, left: locked }
  }
}

/** The instances of a message, which make up one chunk; null for one that is to be split by itself. */
async function instancesOf(context: FlowContext, message: SplittableMessage): Promise<NewInstance[] | null> {
  try {
    const reader = new ObjectReader(message.format, scanLimits(context.config))
    const texts = [...reader.push(message.body), ...reader.end()]
    if (texts.length === 0 || texts.length > context.config.chunkSize) return null
    const instances: NewInstance[] = []
    for (const [ordinal, text] of texts.entries()) {
      const read = readInstance(context, message, ordinal, text)
      instances.push(read instanceof Promise ? await read : read)
    }
    return instances.some(({ invalid }) => invalid !== null) ? null : instances
  } catch {
    // Split by itself it fails by itself, with its reason.
    return null
  }
}
