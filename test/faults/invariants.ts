/** What must be true of a database once the faults are over: I1 to I6. Told by plain SQL, without the code that is tested. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Db } from '../../src/store/db.ts'

/** A message that was answered with a receipt. */
export interface Acknowledged {
  id: string
  /** Of the bytes that were sent, in hexadecimal digits. */
  sha256: string
}

/** A message as a sender knows it. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

interface MessageRow {
  id: string
  status: number
  total: number | null
  key: string | null
  sha256: string
  body: Uint8Array | null
}

interface InstanceRow {
  id: string
  ordinal: number
  integration: string
  key: string
  data: string
  status: number
  outcome: string | null
  history: string | null
}

/**
 * Waits until everything has come to rest.
 *
 * @throws I6: something was still going on after `seconds`
 */
export async function untilAtRest(db: Db, seconds = 60): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const open = await openWork(db).catch((error: unknown) => [String(error)])
    if (open.length === 0) return
    if (performance.now() > deadline) throw new Error(`I6: not at rest after ${seconds} s: ${open.slice(0, 5).join('; ')}`)
    await sleep(50)
  }
}

async function openWork(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ what: string }>(
    `SELECT 'message ' || id || ' is ' || status AS what FROM sluice.message WHERE status IN (0, 1, -2, 2)
     UNION ALL SELECT 'chunk ' || id || ' is ' || state FROM sluice.chunk WHERE state <> 'finished'
     UNION ALL SELECT 'run ' || id || ' is ' || state FROM sluice.task_run WHERE state IN ('queued', 'running')`,
  )
  return rows.map(({ what }) => what)
}

/**
 * Checks I1 to I5 on a shop at rest. The bodies must be JSON lists.
 *
 * @returns how much was looked at
 * @throws naming the invariant that doesn't hold, and where
 */
export async function checkInvariants(db: Db, acknowledged: readonly Acknowledged[]): Promise<{ messages: number; instances: number }> {
  const messages = await readMessages(db)
  const instances = await readInstances(db)
  checkReceived(messages, acknowledged)
  checkInstances(messages, instances)
  await checkCounts(db)
  checkStatuses(messages, instances)
  await checkTargets(db, instances, new Map(messages.map((message) => [message.id, message])))
  return { messages: messages.length, instances: instances.length }
}

async function readMessages(db: Db): Promise<MessageRow[]> {
  const { rows } = await db.query<MessageRow>(
    `SELECT m.id, m.status, m.total, m.idempotency_key AS key, encode(m.body_sha256, 'hex') AS sha256,
       (SELECT string_agg(b.bytes, ''::bytea ORDER BY b.part) FROM sluice.message_body b WHERE b.upload_id = m.upload_id) AS body
     FROM sluice.message m ORDER BY m.id`,
  )
  return rows
}

async function readInstances(db: Db): Promise<InstanceRow[]> {
  const { rows } = await db.query<InstanceRow>(
    `SELECT i.message_id AS id, i.ordinal, i.integration, i.external_id AS key, i.data, v.status, i.outcome, i.history::text AS history
     FROM sluice.instance i JOIN sluice.integration_instance v ON v.message_id = i.message_id AND v.ordinal = i.ordinal
     ORDER BY i.message_id, i.ordinal`,
  )
  return rows
}

/** I1: what was acknowledged is there, once, byte for byte. */
function checkReceived(messages: readonly MessageRow[], acknowledged: readonly Acknowledged[]): void {
  const byId = new Map(messages.map((message) => [message.id, message]))
  for (const { id, sha256 } of acknowledged) {
    const message = byId.get(id)
    if (message === undefined) throw new Error(`I1: message ${id} was acknowledged and is not there`)
    if (message.sha256 !== sha256) throw new Error(`I1: message ${id} is another one`)
  }
  for (const { id, body, sha256 } of messages)
    if (sha256Of(body ?? '') !== sha256) throw new Error(`I1: the bytes of message ${id} are not those that came`)
  const keys = messages.flatMap(({ key }) => (key === null ? [] : [key]))
  if (new Set(keys).size < keys.length) throw new Error('I1: an idempotency key has made two messages')
}

/** I2: the instances of a message are its objects, in order. */
function checkInstances(messages: readonly MessageRow[], instances: readonly InstanceRow[]): void {
  const byMessage = Map.groupBy(instances, ({ id }) => id)
  for (const { id, body, total, status } of messages) {
    if (status === -1) continue
    const objects = JSON.parse(Buffer.from(body ?? '').toString()) as unknown[]
    const own = byMessage.get(id) ?? []
    if (own.length !== objects.length || total !== objects.length)
      throw new Error(`I2: message ${id} has ${objects.length} objects, ${own.length} instances and the total ${total}`)
    for (const [index, instance] of own.entries())
      if (instance.ordinal !== index || !isDeepStrictEqual(JSON.parse(instance.data), objects[index]))
        throw new Error(`I2: instance ${id}.${instance.ordinal} is not object ${index} of its message`)
    const moving = own.find((instance) => instance.status !== 2 && instance.status !== -2)
    if (moving !== undefined) throw new Error(`I2: instance ${id}.${moving.ordinal} rests at ${moving.status}`)
  }
}

/** I2: the counts of each chunk are those of its instances. */
async function checkCounts(db: Db): Promise<void> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT c.id FROM sluice.chunk c LEFT JOIN sluice.instance i ON i.chunk_id = c.id GROUP BY c.id
     HAVING (c.total, c.created, c.updated, c.unchanged, c.deleted, c.superseded, c.ignored, c.failed)
       IS DISTINCT FROM (count(i)::integer, ${['created', 'updated', 'unchanged', 'deleted', 'superseded', 'ignored']
         .map((outcome) => `(count(*) FILTER (WHERE i.outcome = '${outcome}'))::integer`)
         .join(', ')}, (count(*) FILTER (WHERE i.status = -2))::integer)`,
  )
  if (rows.length > 0) throw new Error(`I2: the counts of chunk ${rows[0]?.id} are not those of its instances`)
}

/** I5: the rolled-up status is that of a recount. */
function checkStatuses(messages: readonly MessageRow[], instances: readonly InstanceRow[]): void {
  const failed = new Set(instances.filter(({ status }) => status === -2).map(({ id }) => id))
  for (const { id, status } of messages) {
    const expected = failed.has(id) ? -3 : 3
    if (status !== -1 && status !== expected) throw new Error(`I5: message ${id} is at ${status}; recounted it is ${expected}`)
  }
}

interface TargetRow {
  key: string
  fields: string
  writes: number
}

interface Sent {
  v: number
  [field: string]: unknown
}

/** I3 and I4: each row is its processed instances folded by version, written once for each that says it wrote. */
async function checkTargets(db: Db, instances: readonly InstanceRow[], messages: ReadonlyMap<string, MessageRow>): Promise<void> {
  const queries = {
    item: "SELECT ms_id AS key, json_build_object('a', a, 'b', b)::text AS fields, writes FROM public.item",
    label:
      "SELECT l.ms_id AS key, json_build_object('item', i.ms_id)::text AS fields, l.writes FROM public.label l JOIN public.item i ON i.id = l.item_id",
  }
  for (const [integration, query] of Object.entries(queries)) {
    const found = new Map((await db.query<TargetRow>(query)).rows.map((row) => [row.key, row]))
    const processed = instances.filter((instance) => instance.integration === integration && instance.status === 2)
    const byKey = Map.groupBy(processed, ({ key }) => key)
    for (const key of found.keys()) if (!byKey.has(key)) throw new Error(`I3: ${integration} ${key} is there and nobody sent it`)
    for (const [key, own] of byKey) {
      const row = found.get(key)
      if (row === undefined) throw new Error(`I3: ${integration} ${key} was processed and is not there`)
      const expected = fold(own)
      const fields = JSON.parse(row.fields) as Record<string, unknown>
      for (const name of Object.keys(fields))
        if ((expected[name] ?? null) !== fields[name])
          throw new Error(`I3: ${integration} ${key}: ${name} is ${fields[name]}, and its instances make ${expected[name]}`)
      const writes = own.reduce((sum, instance) => sum + writesOf(instance), 0)
      if (row.writes !== writes) throw new Error(`I4: ${integration} ${key} was written ${row.writes} times by ${writes} instances`)
    }
  }
  for (const { id } of instances) if (!messages.has(id)) throw new Error(`I2: an instance of message ${id}, which is not there`)
}

/** Per field the newest version that carries it. Ties of a version go by arrival, which is the order that they are given in. */
function fold(instances: readonly InstanceRow[]): Record<string, unknown> {
  const sent = instances.map(({ data }) => JSON.parse(data) as Sent).sort((one, other) => one.v - other.v)
  return Object.assign({}, ...sent) as Record<string, unknown>
}

function writesOf({ outcome, history }: InstanceRow): number {
  const before = (JSON.parse(history ?? '[]') as { outcome?: string }[]).map((entry) => entry.outcome ?? null)
  return [...before, outcome].filter((word) => word === 'created' || word === 'updated').length
}
