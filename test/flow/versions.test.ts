/** Rule 4: the newest version wins, whatever order objects come in; what a newer one lacked an older one still supplies. */
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  const row = async () => (await opened.db.query('SELECT title, phone, deleted, writes FROM public.organization')).rows

  test('an older object that comes late changes nothing', async () => {
    const inbox = createInbox(opened.db, [organization])
    await inbox.process('organization', { ms_id: 'a', title: 'new', phone: '2', changed_at: '2026-02-01' })
    const late = await inbox.process('organization', { ms_id: 'a', title: 'old', phone: '1', changed_at: '2026-01-01' })
    expect(late).toMatchObject([{ outcome: 'superseded' }])
    expect(await row()).toEqual([{ title: 'new', phone: '2', deleted: false, writes: 1 }])
  })

  test('an older object that comes late supplies what the newer one lacked, and nothing else', async () => {
    const inbox = createInbox(opened.db, [organization])
    await inbox.process('organization', { ms_id: 'a', title: 'new', changed_at: '2026-03-01' })
    const late = await inbox.process('organization', { ms_id: 'a', title: 'old', phone: '1', changed_at: '2026-01-01' })
    expect(late).toMatchObject([{ outcome: 'updated', changes: { phone: { before: null, after: '1' } } }])
    const between = await inbox.process('organization', { ms_id: 'a', title: 'mid', phone: '2', changed_at: '2026-02-01' })
    expect(between).toMatchObject([{ outcome: 'updated', changes: { phone: { before: '1', after: '2' } } }])
    const older = await inbox.process('organization', { ms_id: 'a', phone: '3', changed_at: '2026-01-15' })
    expect(older).toMatchObject([{ outcome: 'superseded' }])
    expect(await row()).toMatchObject([{ title: 'new', phone: '2' }])
  })

  test('an object twice in one message counts as twice in a row', async () => {
    const inbox = createInbox(opened.db, [organization])
    const results = await inbox.process('organization', [
      { ms_id: 'a', title: 'one', phone: '1', changed_at: '2026-01-02' },
      { ms_id: 'a', title: 'two', changed_at: '2026-01-03' },
      { ms_id: 'a', title: 'zero', phone: '0', changed_at: '2026-01-01' },
    ])
    expect(results.map((result) => result.outcome)).toEqual(['created', 'updated', 'superseded'])
    expect(await row()).toMatchObject([{ title: 'two', phone: '1' }])
  })

  test('a tie of versions goes by arrival', async () => {
    const inbox = createInbox(opened.db, [organization])
    await inbox.process('organization', { ms_id: 'a', title: 'first', changed_at: '2026-01-01' })
    expect(await inbox.process('organization', { ms_id: 'a', title: 'second', changed_at: '2026-01-01' })).toMatchObject([
      { outcome: 'updated' },
    ])
    expect(await row()).toMatchObject([{ title: 'second' }])
  })

  test('a deletion is a flag, needs only key and version, and the object may come back', async () => {
    const inbox = createInbox(opened.db, [organization])
    await inbox.process('organization', { ms_id: 'a', title: 'here', changed_at: '2026-01-01' })
    const gone = { ms_id: 'a', deleted: true, title: 17, changed_at: '2026-01-02' }
    expect(await inbox.process('organization', gone)).toMatchObject([
      { outcome: 'deleted', changes: { deleted: { before: false, after: true } } },
    ])
    expect(await row()).toMatchObject([{ deleted: true }])
    expect(await inbox.process('organization', gone)).toMatchObject([{ outcome: 'unchanged' }])
    expect(await inbox.process('organization', { ms_id: 'a', title: 'late', changed_at: '2025-01-01' })).toMatchObject([
      { outcome: 'superseded' },
    ])
    expect(await inbox.process('organization', { ms_id: 'a', title: 'back', changed_at: '2026-01-03' })).toMatchObject([
      { outcome: 'updated' },
    ])
    expect(await row()).toMatchObject([{ title: 'back', deleted: false }])
  })

  test('deleting what nobody knows is ignored, and an older version of it is superseded', async () => {
    const inbox = createInbox(opened.db, [organization])
    expect(await inbox.process('organization', { ms_id: 'x', deleted: true, changed_at: '2026-01-02' })).toMatchObject([
      { outcome: 'ignored' },
    ])
    expect(await inbox.process('organization', { ms_id: 'x', title: 'old', changed_at: '2026-01-01' })).toMatchObject([
      { outcome: 'superseded' },
    ])
    expect(await row()).toEqual([])
    expect(await inbox.process('organization', { ms_id: 'x', title: 'new', changed_at: '2026-01-03' })).toMatchObject([
      { outcome: 'created' },
    ])
  })

  test('what is unchanged writes nothing', async () => {
    const inbox = createInbox(opened.db, [organization])
    const object = { ms_id: 'a', title: 'same', phone: null, changed_at: '2026-01-01' }
    await inbox.process('organization', object)
    expect(await inbox.process('organization', object)).toMatchObject([{ outcome: 'unchanged', changes: null }])
    expect(await row()).toMatchObject([{ writes: 1 }])
  })

  test('any order of arrival ends in the same row', async () => {
    const inbox = createInbox(opened.db, [organization])
    const objects = fc.uniqueArray(
      fc.record(
        { day: fc.integer({ min: 10, max: 28 }), title: fc.constantFrom('a', 'b', 'c'), phone: fc.constantFrom('1', '2', null) },
        { requiredKeys: ['day'] },
      ),
      { selector: (object) => object.day, minLength: 2, maxLength: 6 },
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(objects, fc.infiniteStream(fc.nat()), async (versions, order) => {
        const expected: Record<string, unknown> = { title: null, phone: null }
        for (const version of [...versions].sort((a, b) => a.day - b.day)) {
          if ('title' in version) expected.title = version.title
          if ('phone' in version) expected.phone = version.phone
        }
        const key = `object-${run++}`
        const shuffled = [...versions].map((version) => ({ version, at: order.next().value ?? 0 })).sort((a, b) => a.at - b.at)
        for (const { version } of shuffled) {
          const { day, ...fields } = version
          await inbox.send('organization', { ms_id: key, changed_at: `2026-01-${day}`, ...fields })
        }
        await inbox.drain()
        const [stored] = await inbox.rows('SELECT title, phone FROM public.organization WHERE ms_id = $1', [key])
        expect(stored).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })
})
