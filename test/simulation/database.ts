/**
 * The same kind of schedule, but on a database and through the store and the flow as they are: claims that are held for too long,
 * crashes before and after commits, answers that are lost. What the model takes for granted (the fence, the roll-up, what
 * waits for what) is SQL, and is looked at here.
 */
import { z } from 'zod'
import { defineConfig, defineIntegration, type Integration } from '../../src/config.ts'
import { receive, rollUp, splitMessage, splitNext, sweepReferences } from '../../src/flow/index.ts'
import { applyChunks, type BatchReport, quarantined } from '../../src/flow/process.ts'
import { settleReferences } from '../../src/flow/settle.ts'
import { createServices, type Services } from '../../src/services.ts'
import { type ClaimedChunk, claimChunks, giveBack, noteTrying, reclaimExpired } from '../../src/store/chunk.ts'
import type { Db, Parameter, Transaction } from '../../src/store/db.ts'
import { waitingOrdinals } from '../../src/store/instance.ts'
import { prunePart } from '../../src/store/prune.ts'
import { type InstanceKey, requeueInstances } from '../../src/store/requeue.ts'
import { type Arrived, fieldNames, fold, type Row, randomObject, randomSetting, type Sent, type Setting } from './objects.ts'
import { Random } from './random.ts'

/** The target. `writes` counts what reached a row. */
export const nodeTable = `
  CREATE TABLE public.node (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, name text CHECK (name <> 'bad'),
    phone text, boss_id bigint, deleted boolean NOT NULL DEFAULT false, writes integer NOT NULL DEFAULT 0);
  CREATE FUNCTION public.count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := coalesce(OLD.writes, 0) + 1; RETURN NEW; END $$;
  CREATE TRIGGER count_write BEFORE INSERT OR UPDATE ON public.node FOR EACH ROW EXECUTE FUNCTION public.count_write()`

/** Empties what schedules fill. */
export async function emptyAll(db: Db): Promise<void> {
  await db.exec(`TRUNCATE public.node, sluice.message, sluice.message_body, sluice.chunk, sluice.instance, sluice.failure,
    sluice.awaited_reference, sluice.object, sluice.deferred_link, sluice.task_run RESTART IDENTITY`)
}

function nodeIntegration(setting: Setting): Integration {
  const { versionType, missing, deletion } = setting
  return defineIntegration({
    name: 'node',
    schema: z.object({
      id: z.string(),
      version: z.string().optional(),
      name: z.string().nullish(),
      phone: z.string().nullish(),
      boss: z.string().nullish(),
      gone: z.boolean().optional(),
    }),
    key: 'id',
    ...(versionType === null ? {} : { version: { field: 'version', type: versionType } }),
    deleted: ({ gone }) => gone === true,
    target: (t) =>
      t.table('public.node', {
        key: 'ms_id',
        columns: { name: 'name', phone: 'phone', boss_id: t.ref('node', 'boss', { missing }) },
        onDelete: deletion === 'soft' ? { deleted: true } : 'delete',
      }),
  })
}

/** Chunks that a worker believes to have in hand, and how far it is with them. */
interface Hand {
  chunks: ClaimedChunk[]
  report: BatchReport | null
}

const mostSteps = 50
const mostRounds = 30
const never = new AbortController().signal
const poison = 'poison'

/** Runs a seed on an emptied database that has {@link nodeTable}. Throws what went wrong, with the steps that led to it. */
export async function runDatabaseSchedule(db: Db, seed: number): Promise<Map<string, number>> {
  const schedule = new DatabaseSchedule(db, seed)
  return schedule.run()
}

class DatabaseSchedule {
  readonly #db: Db
  readonly #random: Random
  readonly #setting: Setting
  readonly #services: Services
  readonly #sent: Sent[][] = []
  readonly #hands: Hand[] = []
  /** Who claimed a chunk last. */
  readonly #latest = new Map<string, ClaimedChunk>()
  readonly #trace: string[] = []
  readonly #happened = new Map<string, number>()

  constructor(db: Db, seed: number) {
    this.#db = db
    this.#random = new Random(seed)
    this.#setting = randomSetting(this.#random)
    const { chunkSize } = this.#setting
    const config = defineConfig({ integrations: [nodeIntegration(this.#setting)], chunkSize, logLevel: 'silent' }, {})
    this.#services = createServices(config, db)
  }

  async run(): Promise<Map<string, number>> {
    try {
      for (let steps = mostSteps; steps > 0; steps--) await this.#step()
      await this.#comeToRest()
      await this.#check()
      return this.#happened
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      throw new Error(`${text}\n${JSON.stringify(this.#setting)}\n${this.#trace.join('\n')}`, { cause: error })
    }
  }

  #did(what: string, about = ''): void {
    this.#trace.push(`${what} ${about}`)
    this.#happened.set(what, (this.#happened.get(what) ?? 0) + 1)
  }

  async #rows<Shape>(sql: string, parameters: Parameter[] = []): Promise<Shape[]> {
    return (await this.#db.query<Shape>(sql, parameters)).rows
  }

  async #step(): Promise<void> {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 10) await this.#send()
    else if (dice < 20) await this.#split()
    else if (dice < 38) await this.#claim()
    else if (dice < 72) await this.#work()
    else if (dice < 80) await this.#timeGoesBy()
    else if (dice < 86) {
      this.#did('reclaim', String(await reclaimExpired(this.#db)))
    } else if (dice < 90) await sweepReferences(this.#services)
    else if (dice < 94) await this.#takeOver()
    else if (dice < 98) await this.#click()
    else await this.#prune()
  }

  async #send(): Promise<void> {
    const random = this.#random
    const objects = Array.from({ length: 1 + random.below(5) }, () => {
      const sent = randomObject(random, this.#setting)
      if (random.chance(0.08)) sent.values.name = 'bad'
      if (random.chance(0.04)) sent.values.phone = poison
      // A deletion leaves out links that can't be made; which ones isn't told.
      if (sent.deleted) delete sent.values.boss
      return sent
    })
    this.#sent.push(objects)
    this.#did('send', JSON.stringify(objects))
    const body = objects.map(({ key, version, deleted, values }) => ({
      id: key,
      ...(version === null ? {} : { version }),
      ...values,
      ...(deleted ? { gone: true } : {}),
    }))
    const receipt = await receive(this.#services, {
      integration: 'node',
      source: 'simulation',
      body: bytesOf(JSON.stringify(body)),
      format: 'json',
      isDraft: false,
    })
    if (receipt.problem !== null) throw new Error(`refused: ${JSON.stringify(receipt.problem)}`)
  }

  async #split(): Promise<boolean> {
    // Small ones together, as workers do, or one alone, as a click does.
    if (this.#random.chance(0.5)) return (await splitNext(this.#services, ['node'])) !== null
    const [next] = await this.#rows<{ id: string }>('SELECT id FROM sluice.message WHERE status = 1 ORDER BY id LIMIT 1')
    if (next !== undefined) await splitMessage(this.#services, next.id)
    return next !== undefined
  }

  async #claim(): Promise<boolean> {
    const chunks = await claimChunks(this.#db, {
      integrations: ['node'],
      worker: `w${this.#hands.length}`,
      leaseSeconds: 3600,
      size: this.#setting.chunkSize,
    })
    if (chunks.length === 0) return false
    this.#did('claim', chunks.map(({ id, epoch }) => `${id} epoch ${epoch}`).join(', '))
    for (const chunk of chunks) this.#latest.set(chunk.id, chunk)
    this.#hands.push({ chunks, report: null })
    return true
  }

  /** A worker, any of those that were ever given a chunk, does its next step; or dies. */
  async #work(isCalm = false): Promise<void> {
    const random = this.#random
    if (this.#hands.length === 0) return
    const hand = random.pick(this.#hands)
    const drop = (): void => void this.#hands.splice(this.#hands.indexOf(hand), 1)
    if (!isCalm && random.chance(0.1)) {
      this.#did('crash')
      return drop()
    }
    const fault = isCalm ? 1 : random.next()
    if (hand.report !== null) {
      await this.#finish(hand.report)
      return drop()
    }
    if (fault < 0.06) {
      this.#did('surroundings')
      await this.#fenced(hand.chunks, () => giveBack(this.#db, hand.chunks, { code: '57P01' }, { delaySeconds: 0, oneByOne: false }))
      return drop()
    }
    const first = hand.chunks[0]
    const report = first !== undefined && first.losses > 0 ? await this.#oneByOne(first) : await this.#batch(hand.chunks, fault < 0.12)
    if (report === null) return drop()
    if (fault > 0.12 && fault < 0.18) {
      this.#did('answer lost')
      await this.#fenced(hand.chunks, () => giveBack(this.#db, hand.chunks, { code: '08007' }, { delaySeconds: 0, oneByOne: false }))
      return drop()
    }
    // Now and then it believes that it has to do it again: a zombie that never saw its own commit.
    if (isCalm || random.chance(0.7)) hand.report = report
  }

  /** Null: it didn't come to its commit. */
  async #batch(
    chunks: readonly ClaimedChunk[],
    breaks: boolean,
    only?: { ordinal: number; isQuarantined: boolean },
  ): Promise<BatchReport | null> {
    if (only?.isQuarantined !== true && (await this.#hasPoison(chunks, only?.ordinal))) {
      this.#did('poisoned', chunks.map(({ id }) => id).join(', '))
      return null
    }
    let wasRolledBack = false
    const applied = async (tx: Transaction): Promise<BatchReport> => {
      const report = await applyChunks(tx, this.#services, chunks, {
        signal: never,
        ...(only === undefined ? {} : { onlyOrdinal: only.ordinal }),
        ...(only?.isQuarantined === true ? { instead: quarantined } : {}),
      })
      wasRolledBack = breaks
      if (breaks) throw new Error('killed before its commit')
      return report
    }
    const report = await this.#fenced(chunks, () => this.#db.transaction(applied, { byIndex: true })).catch((error: unknown) => {
      if (!wasRolledBack) throw error
      return null
    })
    const held = report === null ? 'rolled back' : report.messages.size === 0 ? 'zombie' : 'apply'
    this.#did(held, chunks.map(({ id, epoch }) => `${id} epoch ${epoch}`).join(', '))
    return report
  }

  /** Whatever a worker does with claims that don't stand any more, their chunks and instances stay as they are. */
  async #fenced<T>(chunks: readonly ClaimedChunk[], work: () => Promise<T>): Promise<T> {
    const look = (ids: readonly string[]): Promise<unknown[]> =>
      this.#rows(
        `SELECT c.*, ARRAY(SELECT (i.ordinal, i.status, i.attempts) FROM sluice.instance i WHERE i.chunk_id = c.id ORDER BY 1)::text AS instances
         FROM sluice.chunk c WHERE c.id = ANY($1) ORDER BY c.id`,
        [ids],
      )
    const given = await this.#rows<{ id: string }>("SELECT id FROM sluice.chunk WHERE state <> 'claimed' AND id = ANY($1)", [
      chunks.map(({ id }) => id),
    ])
    const ids = chunks
      .filter((chunk) => this.#latest.get(chunk.id) !== chunk || given.some(({ id }) => id === chunk.id))
      .map(({ id }) => id)
    const before = ids.length === 0 ? [] : await look(ids)
    const result = await work()
    const after = ids.length === 0 ? [] : await look(ids)
    if (JSON.stringify(before) !== JSON.stringify(after))
      throw new Error(`fence: ${JSON.stringify(before)} became ${JSON.stringify(after)}`)
    return result
  }

  async #oneByOne(chunk: ClaimedChunk): Promise<BatchReport | null> {
    let last: BatchReport | null = null
    for (const ordinal of await waitingOrdinals(this.#db, chunk.id)) {
      if (!(await this.#fenced([chunk], () => noteTrying(this.#db, chunk, ordinal, 3600)))) return last
      const isQuarantined = ordinal === chunk.suspect && chunk.suspectLosses >= 2
      const report = await this.#batch([chunk], false, { ordinal, isQuarantined })
      if (report === null) return null
      await this.#finish(report)
      last = report
    }
    return last
  }

  async #finish(report: BatchReport): Promise<void> {
    await settleReferences(this.#services, 'node', report)
    for (const message of report.messages) await rollUp(this.#db, message)
  }

  /** Whether an object that kills its worker would be in hand now. */
  async #hasPoison(chunks: readonly ClaimedChunk[], ordinal: number | undefined): Promise<boolean> {
    const found = await this.#rows(
      `SELECT FROM sluice.instance i JOIN sluice.chunk c ON c.id = i.chunk_id
       JOIN unnest($1::bigint[], $2::integer[]) AS mine (id, epoch) ON mine.id = c.id AND mine.epoch = c.epoch
       WHERE c.state = 'claimed' AND i.status = 0 AND i.data ->> 'phone' = $3 AND ($4::integer IS NULL OR i.ordinal = $4)`,
      [chunks.map(({ id }) => id), chunks.map(({ epoch }) => epoch), poison, ordinal ?? null],
    )
    return found.length > 0
  }

  /** Leases of some chunks run out; what was to come later is due. */
  async #timeGoesBy(share = 0.5): Promise<void> {
    const claimed = await this.#rows<{ id: string }>("SELECT id FROM sluice.chunk WHERE state = 'claimed' ORDER BY id")
    const ids = claimed.filter(() => this.#random.chance(share)).map(({ id }) => id)
    this.#did('time', ids.join(', '))
    await this.#rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE id = ANY($1) AND state = 'claimed'", [ids])
    await this.#rows("UPDATE sluice.chunk SET due_at = now() - interval '1 second' WHERE state = 'ready' AND due_at > now()")
  }

  /** A worker hangs until another one has its chunks, then goes on where it was. */
  async #takeOver(): Promise<void> {
    const random = this.#random
    const hand = this.#hands.find(({ report }) => report === null)
    if (hand === undefined) return
    const ids = hand.chunks.map(({ id }) => id)
    await this.#rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE id = ANY($1) AND state = 'claimed'", [ids])
    await reclaimExpired(this.#db)
    await this.#rows("UPDATE sluice.chunk SET due_at = '2000-01-01' WHERE id = ANY($1) AND state = 'ready'", [ids])
    if (!(await this.#claim())) return
    this.#did('taken over', ids.join(', '))
    const [first] = hand.chunks
    if (first === undefined) return
    const does = random.below(3)
    if (does === 0) {
      await this.#fenced(hand.chunks, () => giveBack(this.#db, hand.chunks, { code: '57P01' }, { delaySeconds: 0, oneByOne: false }))
    } else if (does === 1) await this.#fenced([first], () => noteTrying(this.#db, first, 0, 3600))
    else await this.#batch(hand.chunks, false)
  }

  async #click(): Promise<void> {
    const all = await this.#rows<InstanceKey>('SELECT message_id AS "messageId", ordinal FROM sluice.instance ORDER BY 1, 2')
    const keys = all.filter(() => this.#random.chance(0.4))
    const replay = this.#random.chance(0.5)
    const { chunkSize } = this.#setting
    this.#did(replay ? 'replay' : 'reprocess', String(await requeueInstances(this.#db, keys, { chunkSize, replay, byClick: true })))
  }

  /** Bytes and histories stay: they are the witnesses. */
  async #prune(): Promise<void> {
    await this.#rows(
      "UPDATE sluice.message SET finished_at = finished_at - interval '9 days', received_at = received_at - interval '9 days' WHERE finished_at IS NOT NULL",
    )
    for (const status of [3, -3] as const) {
      const { messages } = await prunePart(this.#db, { what: 'body', status, days: 1 }, '0')
      if (messages > 0) this.#did('prune', String(messages))
    }
  }

  async #comeToRest(): Promise<void> {
    this.#did('calm')
    for (let round = 0; round < mostRounds; round++) {
      for (let isMore = true; isMore; ) isMore = await this.#split()
      while (await this.#claim()) for (let steps = 0; steps < 2; steps++) await this.#work(true)
      while (this.#hands.length > 0) await this.#work(true)
      await this.#timeGoesBy(1)
      await reclaimExpired(this.#db)
      const { released, linked } = await sweepReferences(this.#services)
      const open = await this.#rows('SELECT FROM sluice.message WHERE status NOT IN (3, -3)')
      for (const { id } of await this.#rows<{ id: string }>('SELECT id FROM sluice.message WHERE status = 2')) await rollUp(this.#db, id)
      if (open.length === 0 && released + linked === 0 && this.#hands.length === 0) return
    }
    throw new Error('I6: it did not come to rest')
  }

  async #check(): Promise<void> {
    await this.#checkCounts()
    const all = await this.#rows<{
      message: number
      ordinal: number
      status: number
      outcome: string | null
      code: string | null
      earlier: string[]
    }>(
      `SELECT message_id::integer AS message, ordinal, status, outcome, error ->> 'code' AS code,
         ARRAY(SELECT h ->> 'outcome' FROM jsonb_array_elements(coalesce(history, '[]')) AS h WHERE h ? 'outcome') AS earlier
       FROM sluice.instance ORDER BY 1, 2`,
    )
    const arrivals = all.map(({ message, ordinal, outcome, earlier }): Arrived => {
      const sent = this.#sent[message - 1]?.[ordinal]
      if (sent === undefined) throw new Error(`I2: instance ${message}.${ordinal} was never sent`)
      const outcomes = [...earlier, ...(outcome === null ? [] : [outcome])]
      const resets = this.#setting.deletion === 'hard' ? ['deleted', 'ignored'] : ['ignored']
      return {
        sent,
        message,
        ordinal,
        didReset: sent.deleted && outcomes.some((each) => resets.includes(each)),
        supplied: outcomes.some((each) => !resets.includes(each)),
        without: [],
      }
    })
    for (const [index, { status, code }] of all.entries()) {
      const sent = arrivals[index]?.sent
      if (status === 2) continue
      const isRight =
        (code === 'check_violation' && sent?.values.name === 'bad') ||
        (code === 'quarantined' && sent?.values.phone === poison) ||
        code === 'missing_reference'
      if (!isRight) throw new Error(`I6: ${JSON.stringify(all[index])} rests there, and should not`)
    }
    await this.#checkRows(arrivals)
    if (this.#setting.missing === 'wait') await this.#checkWrites(all, arrivals)
  }

  async #checkCounts(): Promise<void> {
    const wrong = await this.#rows(
      `SELECT m.id, m.status, m.total, i.* FROM sluice.message m
       CROSS JOIN LATERAL (SELECT count(*) AS instances, count(*) FILTER (WHERE status = -2) AS failed, count(*) FILTER (WHERE status = 0) AS waiting,
         coalesce(max(ordinal) + 1, 0) AS ordinals FROM sluice.instance WHERE message_id = m.id) AS i
       CROSS JOIN LATERAL (SELECT coalesce(sum(total), 0) AS total, coalesce(sum(failed), 0) AS failed FROM sluice.chunk WHERE message_id = m.id) AS c
       CROSS JOIN LATERAL (SELECT count(*) AS rows FROM sluice.failure WHERE message_id = m.id) AS f
       WHERE i.instances <> m.total OR i.ordinals <> m.total OR i.waiting > 0 OR c.total <> m.total OR c.failed <> i.failed OR f.rows <> i.failed
         OR m.status <> CASE WHEN i.failed > 0 THEN -3 ELSE 3 END`,
    )
    if (wrong.length > 0) throw new Error(`I2, I5: ${JSON.stringify(wrong)}`)
    const messages = await this.#rows<{ total: number }>('SELECT total FROM sluice.message ORDER BY id')
    if (messages.some(({ total }, index) => total !== this.#sent[index]?.length)) throw new Error('I1: not every message is there')
  }

  async #checkRows(arrivals: readonly Arrived[]): Promise<void> {
    const rows = await this.#rows<Row & { key: string }>(
      `SELECT n.ms_id AS key, n.name, n.phone, b.ms_id AS boss, n.deleted FROM public.node n LEFT JOIN public.node b ON b.id = n.boss_id`,
    )
    const compared = this.#setting.deletion === 'hard' ? fieldNames.filter((field) => field !== 'boss') : fieldNames
    for (const key of new Set(arrivals.map(({ sent }) => sent.key))) {
      const own = arrivals.filter(({ sent }) => sent.key === key)
      const expected = fold(this.#setting, own)
      const found = rows.find((row) => row.key === key) ?? null
      if (expected !== null && !rows.some((row) => row.key === expected.boss)) expected.boss = null
      const differs =
        (expected === null) !== (found === null) ||
        (expected !== null &&
          found !== null &&
          (expected.deleted !== found.deleted || compared.some((field) => expected[field] !== found[field])))
      if (differs) throw new Error(`I3: "${key}" is ${JSON.stringify(found)}, folded it is ${JSON.stringify(expected)}`)
    }
  }

  /** I4: as many writes reached the rows as there are outcomes that say so. */
  async #checkWrites(all: readonly { outcome: string | null; earlier: string[] }[], arrivals: readonly Arrived[]): Promise<void> {
    if (this.#setting.deletion === 'hard') return
    for (const { key, writes } of await this.#rows<{ key: string; writes: number }>('SELECT ms_id AS key, writes FROM public.node')) {
      const told = all
        .filter((_, index) => arrivals[index]?.sent.key === key)
        .flatMap(({ outcome, earlier }) => [...earlier, outcome])
        .filter((outcome) => outcome === 'created' || outcome === 'updated' || outcome === 'deleted').length
      if (writes !== told) throw new Error(`I4: the row of "${key}" was written ${writes} times, ${told} are told`)
    }
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
