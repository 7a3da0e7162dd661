/** Rules 3 and 12: a worker that lost its claim changes nothing; the last chunks of a message roll it up. */
import { beforeEach, expect, test } from 'vitest'
import { processChunks, rollUp, splitMessage } from '../../src/flow/index.ts'
import { applyChunks } from '../../src/flow/process.ts'
import { reclaimExpired } from '../../src/store/chunk.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'

const people = (count: number) => Array.from({ length: count }, (_, index) => ({ ms_id: `e${index}`, name: `n${index}` }))
const signal = new AbortController().signal

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('a worker whose lease ran out writes nothing when it comes back', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    const { id } = await inbox.send('employee', people(3))
    await splitMessage(inbox.services, id)
    const zombie = await inbox.claim('zombie')
    await opened.db.query("UPDATE sluice.chunk SET lease_until = now() - interval '1 second'")
    expect(await reclaimExpired(opened.db)).toBe(1)
    const heir = await inbox.claim('heir')
    expect(heir[0]).toMatchObject({ id: zombie[0]?.id, losses: 1 })
    await processChunks(inbox.services, zombie, signal)
    expect(await inbox.rows('SELECT FROM public.employee')).toEqual([])
    await processChunks(inbox.services, heir, signal)
    expect(await inbox.status(id)).toBe(3)
    expect(await inbox.rows('SELECT DISTINCT writes FROM public.employee')).toEqual([{ writes: 1 }])
    await processChunks(inbox.services, zombie, signal)
    expect(await inbox.rows('SELECT DISTINCT writes FROM public.employee')).toEqual([{ writes: 1 }])
  })

  test('the object that is in hand when a worker is lost twice is quarantined; the others are processed', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    const { id } = await inbox.send('employee', people(5))
    await splitMessage(inbox.services, id)
    const lose = async (): Promise<void> => {
      await opened.db.query("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed'")
      expect(await reclaimExpired(opened.db)).toBe(1)
    }
    // The first loss: in the middle of the batch, nobody knows of which object.
    await inbox.claim('first')
    await lose()
    for (const name of ['second', 'third']) {
      const [chunk] = await inbox.claim(name)
      expect(chunk?.losses).toBeGreaterThan(0)
      await opened.db.query('UPDATE sluice.chunk SET trying = 2')
      await lose()
    }
    await inbox.drain()
    const outcomes = await inbox.outcomes(id)
    expect(outcomes[2]).toMatchObject({ outcome: null, error: { code: 'quarantined' } })
    expect(outcomes.filter((result) => result.outcome === 'created')).toHaveLength(4)
    expect(await inbox.status(id)).toBe(-3)
  })
})

onPostgres((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('the last two chunks of a message, finished at the same moment by two workers, roll it up', async () => {
    const inbox = createInbox(opened.db, [organization, employee], { chunkSize: 10 })
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      await resetCompany(opened.db)
      const { id } = await inbox.send('employee', people(20))
      await splitMessage(inbox.services, id)
      const claims = [await inbox.claim('a'), await inbox.claim('b')]
      expect(claims.map((claim) => claim.length)).toEqual([1, 1])
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const applied = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const rolled: (number | null)[] = []
      const sides = [0, 1].map(async (side) => {
        await opened.db.transaction(async (tx) => {
          await applyChunks(tx, inbox.services, claims[side] ?? [], { signal })
          applied[side]?.resolve()
          await gates[side]?.promise
        })
        rolled.push(await rollUp(opened.db, id))
      })
      // Both are done and neither has committed: inside, each sees the other's chunk open.
      await Promise.all(applied.map((each) => each.promise))
      for (const side of order) gates[side]?.resolve()
      await Promise.all(sides)
      expect(await inbox.status(id)).toBe(3)
      expect(rolled.filter((status) => status === 3)).toHaveLength(1)
    }
  })

  test('two workers with the same objects in opposite order end without a deadlock, the newest wins', async () => {
    const inbox = createInbox(opened.db, [organization], { chunkSize: 50 })
    const versions = (from: number) =>
      Array.from({ length: 50 }, (_, index) => ({
        ms_id: `o${(index * 7 + from) % 50}`,
        title: `t${from}`,
        changed_at: `2026-01-${10 + from}`,
      }))
    for (let round = 0; round < 8; round++) {
      const { id } = await inbox.send('organization', versions(round))
      await splitMessage(inbox.services, id)
    }
    const claims = []
    for (let chunks = await inbox.claim(); chunks.length > 0; chunks = await inbox.claim()) claims.push(chunks)
    expect(claims.length).toBeGreaterThan(4)
    await Promise.all(claims.reverse().map((chunks) => processChunks(inbox.services, chunks, signal)))
    await inbox.drain()
    expect(await inbox.rows('SELECT DISTINCT title FROM public.organization')).toEqual([{ title: 't7' }])
    expect(await inbox.rows('SELECT FROM sluice.message WHERE status <> 3')).toEqual([])
  })
})
