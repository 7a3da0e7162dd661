/** What Payload does, where its documentation doesn't say so: the adapter rests on these facts, and a new version may change one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Doc, hasPayload, openPayload, payloadDatabases, type RealPayload } from '../support/payload.ts'

const collection = 'organizations'

describe.skipIf(!hasPayload).each(payloadDatabases)('Payload on %s', (kind) => {
  let opened: Awaited<ReturnType<typeof openPayload>>
  let payload: RealPayload
  let next = 0
  beforeAll(async () => {
    opened = await openPayload(kind)
    payload = opened.payload
  }, 120_000)
  afterAll(() => opened?.close())

  const create = (data: object = {}, more: object = {}): Promise<Doc> =>
    payload.create({ collection, data: { title: 'T', slug: `s-${++next}`, _status: 'published', ...data }, depth: 0, ...more })
  const byTitle = async (title: string): Promise<Doc[]> =>
    (await payload.find({ collection, where: { title: { equals: title } }, depth: 0, pagination: false })).docs

  test("a plain update that publishes starts from the newest version, and makes an editor's draft live", async () => {
    const { id } = await create()
    await payload.update({ collection, id, data: { about: 'half a sentence' }, draft: true })
    await payload.update({ collection, id, data: { phone: '1', _status: 'published' } })
    expect(await payload.findByID({ collection, id, depth: 0 })).toMatchObject({ phone: '1', about: 'half a sentence' })
  })

  test('versions grow with every write, also one that changes nothing', async () => {
    const { id } = await create()
    for (let write = 0; write < 3; write++) await payload.update({ collection, id, data: { title: 'T', _status: 'published' } })
    expect((await payload.countVersions({ collection, where: { parent: { equals: id } } })).totalDocs).toBe(4)
  })

  test('deleting a parent leaves its children without one', async () => {
    const parent = await create()
    const child = await create({ parent: parent.id })
    await payload.delete({ collection, id: parent.id })
    expect((await payload.findByID({ collection, id: child.id, depth: 0 })).parent ?? null).toBeNull()
  })

  test('a row in the trash is not found, but holds its unique key', async () => {
    const { id } = await create({ title: 'trashed', sluiceKey: 'k' })
    await payload.update({ collection, id, data: { deletedAt: new Date().toISOString() } })
    expect(await byTitle('trashed')).toEqual([])
    await expect(create({ sluiceKey: 'k' })).rejects.toMatchObject({ name: 'ValidationError' })
  })

  test('afterChange comes before the commit', async () => {
    const { afterChange } = payload.collections.organizations.config.hooks
    let calls = 0
    afterChange.push(() => {
      calls++
      throw new Error('after the change')
    })
    try {
      await expect(create({ title: 'undone' })).rejects.toThrow('after the change')
    } finally {
      afterChange.pop()
    }
    expect(calls).toBe(1)
    // Without a transaction, as SQLite's adapter is by default, the row stays.
    expect(await byTitle('undone')).toHaveLength(kind === 'postgres' ? 0 : 1)
  })

  test.runIf(kind === 'postgres')(
    'a failing operation ends the caller’s transaction; later ones with its id are committed alone, and committing it does nothing',
    async () => {
      const id = await payload.db.beginTransaction()
      if (id === null) throw new Error('PostgreSQL has transactions')
      await create({ title: 'before' }, { req: { transactionID: id } })
      expect(id in (payload.db.sessions ?? {})).toBe(true)
      await expect(create({ phone: 'x'.repeat(30) }, { req: { transactionID: id } })).rejects.toMatchObject({ name: 'ValidationError' })
      expect(id in (payload.db.sessions ?? {})).toBe(false)
      await create({ title: 'after' }, { req: { transactionID: id } })
      expect([(await byTitle('before')).length, (await byTitle('after')).length]).toEqual([0, 1])
      await payload.db.commitTransaction(id)
      expect(await byTitle('before')).toEqual([])
    },
  )
})
