/** The handler target: what a handler is told, and what its answers become. */
import { expect, test } from 'vitest'
import { failed } from '../../src/model/outcome.ts'
import type { Transaction } from '../../src/store/db.ts'
import type { HandlerContext, HandlerItem, HandlerOptions } from '../../src/targets/handler.ts'
import { type ApplyContext, AtItem, ObjectError } from '../../src/targets/target.ts'
import { onBoth } from '../support/both.ts'
import { contextOf, declare, type ItemOptions, itemOf, type Loose } from './support.ts'

onBoth((opened) => {
  const prepare = (options: HandlerOptions<Loose>) => declare((t) => t.handler(options)).prepare(opened.db, 'order')

  /** Applies objects; gives results, or what was thrown. */
  const run = async (
    options: HandlerOptions<Loose>,
    values: readonly unknown[],
    context: Partial<ApplyContext> = {},
    item: ItemOptions = {},
  ): Promise<unknown> => {
    const target = await prepare(options)
    const items = values.map((value, ordinal) => itemOf(target, value, { ordinal, ...item }))
    return opened.db.transaction((tx) => target.apply(tx, items, contextOf(context))).catch((error: unknown) => error)
  }

  test('apply is told of each object, in order, and works in the same transaction', async () => {
    await opened.db.exec('CREATE TABLE public.orders (id text, at integer)')
    const told: (HandlerContext & HandlerItem & { object: unknown })[] = []
    const results = await run(
      {
        apply: async (object, context) => {
          told.push({ object, ...context })
          await context.tx.query('INSERT INTO public.orders VALUES ($1, $2)', [context.externalId, context.ordinal])
          return context.ordinal === 0
            ? 'created'
            : { outcome: 'updated', detail: 'moved', ref: 'r1', changes: { a: { before: 1, after: 2 } } }
        },
      },
      ['{"id":"a","n":12345678901234567890}', '{"id":7}'],
      { asDraft: true },
    )
    expect(results).toEqual([
      { outcome: 'created' },
      { outcome: 'updated', detail: 'moved', ref: 'r1', changes: { a: { before: 1, after: 2 } } },
    ])
    expect(told.map(({ object, raw, text, tx, log, signal, ...rest }) => ({ ...rest, object, raw: JSON.stringify(raw), text }))).toEqual([
      {
        messageId: '1',
        ordinal: 0,
        externalId: 'a',
        deleted: false,
        attempt: 1,
        idempotencyKey: '1.0.0',
        asDraft: true,
        integration: 'thing',
        object: { id: 'a', n: 12345678901234567000 },
        raw: '{"id":"a","n":12345678901234567890}',
        text: '{"id":"a","n":12345678901234567890}',
      },
      expect.objectContaining({ externalId: '7', idempotencyKey: '1.1.0', object: { id: 7 } }),
    ])
    expect(await opened.db.query('SELECT * FROM public.orders ORDER BY at').then(({ rows }) => rows)).toEqual([
      { id: 'a', at: 0 },
      { id: '7', at: 1 },
    ])
  })

  test('a bare deletion is given as it came', async () => {
    const seen: unknown[] = []
    const options: HandlerOptions<Loose> = {
      apply: (object, { deleted }) => {
        seen.push([object, deleted])
        return 'deleted'
      },
    }
    expect(await run(options, [{ id: 'a', gone: true }], {}, { deletion: 'deleted', isBare: true })).toEqual([{ outcome: 'deleted' }])
    expect(seen).toEqual([[{ id: 'a', gone: true }, true]])
  })

  test('applyMany gives a result for each, or one for all', async () => {
    expect(
      await run({ applyMany: (objects) => objects.map(({ object }) => (object.ok ? 'updated' : failed('no', 'not so'))) }, [
        { id: 1, ok: true },
        { id: 2 },
      ]),
    ).toEqual([{ outcome: 'updated' }, { failed: { class: 'permanent', code: 'no', message: 'not so' } }])
    expect(await run({ applyMany: () => Promise.resolve('unchanged') }, [{ id: 1 }, { id: 2 }])).toEqual([
      { outcome: 'unchanged' },
      { outcome: 'unchanged' },
    ])
  })

  test.each([
    ['another word', 'done'],
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['an object without an outcome', { detail: 'x' }],
    ['an outcome that is none', { outcome: 'ok' }],
    ['a ref that is no text', { outcome: 'created', ref: 5 }],
    ['a failure without a code', { failed: { message: 'x', class: 'permanent' } }],
    ['a failure without a class', { failed: { code: 'x', message: 'x' } }],
    ['a failure that is null', { failed: null }],
  ])('%s is no result', async (_, result) => {
    const good = { id: 1 }
    const ofApply = await run({ apply: (object) => (object.id === 2 ? (result as Loose) : 'updated') }, [good, { id: 2 }])
    const ofMany = await run({ applyMany: () => ['updated', result as Loose] }, [good, { id: 2 }])
    for (const thrown of [ofApply, ofMany]) {
      expect(thrown).toBeInstanceOf(AtItem)
      expect(thrown).toMatchObject({ index: 1 })
      expect((thrown as AtItem).cause).toBeInstanceOf(ObjectError)
      expect((thrown as AtItem).cause).toMatchObject({ code: 'invalid_result', message: expect.stringContaining('a ') })
    }
  })

  test('too few results, or no list of them', async () => {
    expect(await run({ applyMany: () => ['updated'] }, [{ id: 1 }, { id: 2 }])).toMatchObject({
      code: 'invalid_result',
      message: expect.stringContaining('1 results for 2 objects'),
    })
    expect(await run({ applyMany: () => undefined as Loose }, [{ id: 1 }])).toMatchObject({ code: 'invalid_result' })
    expect(await run({ applyMany: () => 'done' as Loose }, [{ id: 1 }])).toMatchObject({ code: 'invalid_result' })
  })

  test('what a handler throws is known by its object', async () => {
    const cause = new Error('the service is away')
    const apply = (object: Loose) => {
      if (object.id === 2) throw cause
      return 'updated' as const
    }
    expect(await run({ apply }, [{ id: 1 }, { id: 2 }, { id: 3 }])).toMatchObject({ index: 1, cause })
  })

  test('a stopped worker stops before the next object, and the chunk comes again', async () => {
    const stopping = new AbortController()
    const seen: number[] = []
    const apply = (object: Loose) => {
      seen.push(object.id)
      stopping.abort()
      return 'updated' as const
    }
    expect(await run({ apply }, [{ id: 1 }, { id: 2 }], { signal: stopping.signal })).toMatchObject({ code: 'stopped', retryable: true })
    expect(await run({ applyMany: () => 'updated' }, [{ id: 1 }], { signal: stopping.signal })).toMatchObject({
      code: 'stopped',
      retryable: true,
    })
    expect(seen).toEqual([1])
  })

  test('a handler’s own statements are planned as everywhere else', async () => {
    const target = await prepare({
      apply: async (_, { tx }) => {
        const { rows } = await tx.query<{ setting: string }>(`SELECT current_setting('enable_seqscan') AS setting`)
        return rows[0]?.setting === 'on' ? 'updated' : 'ignored'
      },
    })
    const setting = async (tx: Transaction) =>
      (await tx.query<{ setting: string }>(`SELECT current_setting('enable_seqscan') AS setting`)).rows[0]?.setting
    const work = (tx: Transaction) =>
      target.apply(tx, [itemOf(target, { id: 1 })], contextOf()).then(async (results) => [results, await setting(tx)])
    expect(await opened.db.transaction(work, { byIndex: true })).toEqual([[{ outcome: 'updated' }], 'off'])
  })

  test('a handler has one field, handles deletions, and says which function it is', async () => {
    const spec = declare((t) => t.handler({ apply: () => 'updated' }))
    expect(spec).toMatchObject({ kind: 'handler', handlesDeletion: true, needsOutput: true, references: [] })
    expect(spec.describe()).toEqual({ calls: 'apply' })
    const target = await spec.prepare(opened.db, 'x')
    expect(target.fields).toEqual(['*'])
    expect(target.plan(itemOf(target, { id: 1 }).object)).toMatchObject({ fields: ['*'], references: [] })
  })
})
