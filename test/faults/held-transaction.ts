/** Fault 8: a transaction elsewhere is held under load, so that nothing of what is done can be cleaned away. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createServices } from '../../src/services.ts'
import type { Db } from '../../src/store/db.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { Random } from '../simulation/random.ts'
import { itemsOf } from './crash-points.ts'
import { Harness } from './harness.ts'
import { untilAtRest } from './invariants.ts'
import { shopConfig } from './shop.ts'

/** What a load beside a held transaction was like. */
export interface HeldLoad {
  seconds: number
  messages: number
  instances: number
  /** Claims, and how long they took, in milliseconds. */
  claims: { count: number; median: number; p99: number }
  /**
   * Bytes of the ledger with its indexes, of which the same rows are written again and again: when the transaction ended, and after a
   * vacuum and half of that load again. Room that is used again doesn't grow.
   */
  bytes: { held: number; afterwards: number }
}

const objectsOfMessage = 10
/** Milliseconds between messages. */
const pace = 50

/** Loads a server of its own with small messages beside an open transaction, as long as asked for, and checks the invariants. */
export async function loadBesideTransaction(goesOn: () => boolean, seed: number): Promise<HeldLoad> {
  const harness = await Harness.start()
  const holder = new pg.Client({ connectionString: harness.server.url })
  const claims: number[] = []
  const worker = startWorker(createServices(shopConfig(), timed(harness.db, claims)), { name: 'beside' })
  const random = new Random(seed)
  const load = async (isOver: () => boolean): Promise<number> => {
    let sent = 0
    for (; !isOver(); sent++) {
      await harness.send('item', itemsOf(random, `held ${random.below(20)}`, objectsOfMessage))
      await sleep(pace)
    }
    await untilAtRest(harness.db)
    return sent
  }
  try {
    await holder.connect()
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM sluice.chunk; SELECT pg_current_xact_id()')
    const started = performance.now()
    const sent = await load(() => !goesOn())
    const seconds = (performance.now() - started) / 1000
    const sorted = claims.splice(0).sort((a, b) => a - b)
    const held = await bytesOf(harness.db)
    await holder.query('ROLLBACK')
    await harness.db.exec('VACUUM sluice.object')
    let left = Math.ceil(sent / 2)
    await load(() => left-- <= 0)
    const { messages, instances } = await harness.check()
    return {
      seconds,
      messages,
      instances,
      claims: { count: sorted.length, median: at(sorted, 0.5), p99: at(sorted, 0.99) },
      bytes: { held, afterwards: await bytesOf(harness.db) },
    }
  } finally {
    await worker.stop()
    await holder.end()
    await harness.close()
  }
}

/** A database that notes how long claims take: no other transaction reads in the order of an index. */
function timed(db: Db, claims: number[]): Db {
  return {
    ...db,
    async transaction(work, options) {
      const started = performance.now()
      const result = await db.transaction(work, options)
      if (options?.inOrder === true) claims.push(performance.now() - started)
      return result
    },
  }
}

async function bytesOf(db: Db): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>("SELECT pg_total_relation_size('sluice.object') AS bytes")
  return Number(rows[0]?.bytes)
}

function at(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}
