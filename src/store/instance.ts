/** Instances: inserted by the split, read by the chunk's worker, written once with their result. */
import { type Changes, type Failed, isFailed, type Outcome, type Result, retryDelay } from '../model/outcome.ts'
import { type PreparedStatement, prepared, type Queryable, type Transaction } from './db.ts'

/** An object on its way into `sluice.instance`. */
export interface NewInstance {
  ordinal: number
  externalId: string | null
  /** The object's own text. */
  data: string
  /** Set for an object that is kept in spite of a schema error: it begins at -2 `invalid`. */
  invalid: { message: string; pointer: string; fingerprint: string } | null
}

/** Inserts one chunk with its instances, in order. A chunk of nothing but invalid ones is finished at once. */
export async function insertChunk(
  tx: Transaction,
  chunk: { messageId: string; integration: string; number: number; isDraft: boolean },
  instances: readonly NewInstance[],
): Promise<void> {
  const first = instances[0]
  if (first === undefined) return
  const invalid = instances.filter((instance) => instance.invalid !== null)
  const isFinished = invalid.length === instances.length
  const parameters = [
    chunk.messageId,
    chunk.integration,
    chunk.number,
    first.ordinal,
    first.ordinal + instances.length - 1,
    chunk.isDraft,
    instances.length,
    invalid.length,
    isFinished ? 'finished' : 'ready',
    instances.map((instance) => instance.ordinal),
    instances.map((instance) => instance.externalId),
    instances.map((instance) => instance.data),
  ]
  const chunkSql = `WITH chunk AS (
      INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, is_draft, total, failed, state, finished_at)
      VALUES ($1, $2, 'data', $3, $4, $5, $6, $7, $8, $9, CASE WHEN $9 = 'finished' THEN clock_timestamp() END) RETURNING id)`
  if (invalid.length === 0) {
    await tx.query(
      `${chunkSql}
       INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data)
       SELECT $1, u.ordinal, chunk.id, $2, u.external_id, u.data::json
       FROM chunk, unnest($10::integer[], $11::text[], $12::text[]) AS u (ordinal, external_id, data)`,
      parameters,
    )
    return
  }
  const errors = instances.map(({ invalid: issue }) =>
    issue === null ? null : JSON.stringify({ code: 'invalid', class: 'permanent', message: issue.message, pointer: issue.pointer }),
  )
  await tx.query(
    `${chunkSql}
     INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, error, finished_at)
     SELECT $1, u.ordinal, chunk.id, $2, u.external_id, u.data::json, CASE WHEN u.error IS NULL THEN 0 ELSE -2 END, u.error::jsonb,
       CASE WHEN u.error IS NOT NULL THEN clock_timestamp() END
     FROM chunk, unnest($10::integer[], $11::text[], $12::text[], $13::text[]) AS u (ordinal, external_id, data, error)`,
    [...parameters, errors],
  )
  await tx.query(
    `INSERT INTO sluice.failure (message_id, ordinal, integration, external_id, code, class, fingerprint, attempts)
     SELECT $1, u.ordinal, $2, u.external_id, 'invalid', 'permanent', u.fingerprint, 0
     FROM unnest($3::integer[], $4::text[], $5::text[]) AS u (ordinal, external_id, fingerprint)`,
    [
      chunk.messageId,
      chunk.integration,
      invalid.map((instance) => instance.ordinal),
      invalid.map((instance) => instance.externalId),
      invalid.map((instance) => instance.invalid?.fingerprint ?? ''),
    ],
  )
}

const insertSmallSql = prepared(`WITH chunk AS (
    INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, is_draft, total)
    SELECT u.message_id, u.integration, 'data', 0, 0, u.total - 1, u.is_draft, u.total
    FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::integer[]) WITH ORDINALITY AS u (message_id, integration, is_draft, total, n)
    ORDER BY u.n RETURNING id, message_id, integration)
  INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data)
  SELECT u.message_id, u.ordinal, chunk.id, chunk.integration, u.external_id, u.data::json
  FROM unnest($5::bigint[], $6::integer[], $7::text[], $8::text[]) WITH ORDINALITY AS u (message_id, ordinal, external_id, data, n)
  JOIN chunk ON chunk.message_id = u.message_id ORDER BY u.n`)

/**
 * Inserts the only chunk of each of many messages, with its instances, none of them invalid. The messages are in the order of
 * their ids, the instances in that of their ordinals.
 */
export async function insertSmallChunks(
  tx: Transaction,
  chunks: readonly { messageId: string; integration: string; isDraft: boolean; instances: readonly NewInstance[] }[],
): Promise<void> {
  const instances = chunks.flatMap(({ messageId, instances: own }) => own.map((instance) => ({ messageId, instance })))
  await tx.query(insertSmallSql, [
    chunks.map(({ messageId }) => messageId),
    chunks.map(({ integration }) => integration),
    chunks.map(({ isDraft }) => isDraft),
    chunks.map(({ instances: { length } }) => length),
    instances.map(({ messageId }) => messageId),
    instances.map(({ instance }) => instance.ordinal),
    instances.map(({ instance }) => instance.externalId),
    instances.map(({ instance }) => instance.data),
  ])
}

/** A waiting instance, as a worker loads it. */
export interface WaitingInstance {
  messageId: string
  ordinal: number
  chunkId: string
  externalId: string
  data: string
  attempts: number
  /** Of these, the ones before the last click. */
  attemptsBefore: number
  generation: number
}

/** The instances of these chunks that are still waiting, in order of arrival. */
export async function loadWaiting(tx: Transaction, chunkIds: readonly string[], onlyOrdinal?: number): Promise<WaitingInstance[]> {
  const { rows } =
    onlyOrdinal === undefined
      ? await tx.query<WaitingInstance>(loadAllSql, [chunkIds])
      : await tx.query<WaitingInstance>(loadOneSql, [chunkIds, onlyOrdinal])
  return rows
}

const waitingColumns = `i.message_id AS "messageId", i.ordinal, i.chunk_id AS "chunkId", i.external_id AS "externalId", i.data, i.attempts,
  i.attempts_before AS "attemptsBefore", i.generation`

function loadWaitingSql(only: string): PreparedStatement {
  return prepared(`SELECT ${waitingColumns} FROM sluice.chunk c
    JOIN sluice.instance i ON i.message_id = c.message_id AND i.ordinal BETWEEN c.first_ordinal AND c.last_ordinal AND i.chunk_id = c.id
    WHERE c.id = ANY($1) AND c.kind = 'data' AND i.status = 0 ${only}
    UNION ALL
    SELECT ${waitingColumns} FROM sluice.chunk c CROSS JOIN unnest(c.ordinals) AS o (ordinal)
    JOIN sluice.instance i ON i.message_id = c.message_id AND i.ordinal = o.ordinal AND i.chunk_id = c.id
    WHERE c.id = ANY($1) AND c.kind = 'retry' AND i.status = 0 ${only}
    ORDER BY 1, 2`)
}

const loadAllSql = loadWaitingSql('')
const loadOneSql = loadWaitingSql('AND i.ordinal = $2')

/** The ordinals of a chunk that are still waiting, in order. */
export async function waitingOrdinals(db: Queryable, chunkId: string): Promise<number[]> {
  const { rows } = await db.query<{ ordinal: number }>(
    `SELECT i.ordinal FROM sluice.chunk c
     JOIN sluice.instance i ON i.message_id = c.message_id AND i.ordinal BETWEEN c.first_ordinal AND c.last_ordinal AND i.chunk_id = c.id
     WHERE c.id = $1 AND i.status = 0 ORDER BY i.ordinal`,
    [chunkId],
  )
  return rows.map((row) => row.ordinal)
}

/** A result, ready to be written. */
export interface InstanceResult {
  instance: WaitingInstance
  integration: string
  result: Result
  /** Code and shape of the error's text: failures of one cause share it. Empty for a success. */
  fingerprint: string
}

/**
 * Writes results, and a failure row for each failure. Only instances that belong to the claimed chunk and are still
 * waiting are touched; waiting for a reference uses up no attempt.
 */
export async function recordResults(tx: Transaction, results: readonly InstanceResult[]): Promise<void> {
  const { alike, others } = groupAlike(results)
  for (const group of alike) await recordAlike(tx, group)
  if (others.length > 0) await recordEach(tx, others)
  await recordFailures(tx, results)
}

/** More statements than this would cost more than one that has a row for each result. */
const mostGroups = 4

/** Results that are nothing but an outcome, by chunk and outcome; a first load or a repetition has one such group a chunk. */
function groupAlike(results: readonly InstanceResult[]): { alike: InstanceResult[][]; others: InstanceResult[] } {
  const groups = new Map<string, InstanceResult[]>()
  const others: InstanceResult[] = []
  for (const each of results) {
    const { instance, result } = each
    if (isFailed(result) || result.detail !== undefined || result.changes !== undefined) {
      others.push(each)
      continue
    }
    const name = `${instance.chunkId} ${result.outcome}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [each])
    else group.push(each)
  }
  return groups.size <= mostGroups ? { alike: [...groups.values()], others } : { alike: [], others: [...results] }
}

async function recordAlike(tx: Transaction, group: readonly InstanceResult[]): Promise<void> {
  const first = group[0]
  if (first === undefined || isFailed(first.result)) return
  const { messageId, chunkId } = first.instance
  const ordinals = group.map(({ instance }) => instance.ordinal).sort((a, b) => a - b)
  const [from, to] = [ordinals[0] ?? 0, ordinals[ordinals.length - 1] ?? 0]
  const isRange = to - from === ordinals.length - 1
  const of = [messageId, chunkId, first.result.outcome]
  if (isRange) await tx.query(recordRangeSql, [...of, from, to])
  else await tx.query(recordOrdinalsSql, [...of, ordinals])
}

function recordAlikeSql(which: string): PreparedStatement {
  return prepared(`UPDATE sluice.instance SET status = 2, outcome = $3, attempts = attempts + 1, finished_at = clock_timestamp()
    WHERE message_id = $1 AND chunk_id = $2 AND status = 0 AND ${which}`)
}

const recordRangeSql = recordAlikeSql('ordinal BETWEEN $4 AND $5')
const recordOrdinalsSql = recordAlikeSql('ordinal = ANY($4::integer[])')

const recordEachSql =
  prepared(`UPDATE sluice.instance i SET status = CASE WHEN u.outcome IS NULL THEN -2 ELSE 2 END, outcome = u.outcome, detail = u.detail,
    changes = u.changes::jsonb, error = u.error::jsonb, attempts = u.attempts, finished_at = clock_timestamp()
  FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[])
    AS u (message_id, ordinal, chunk_id, outcome, detail, changes, error, attempts)
  WHERE i.message_id = u.message_id AND i.ordinal = u.ordinal AND i.chunk_id = u.chunk_id AND i.status = 0`)

async function recordEach(tx: Transaction, results: readonly InstanceResult[]): Promise<void> {
  await tx.query(recordEachSql, [
    results.map(({ instance }) => instance.messageId),
    results.map(({ instance }) => instance.ordinal),
    results.map(({ instance }) => instance.chunkId),
    results.map(({ result }) => (isFailed(result) ? null : result.outcome)),
    results.map(({ result }) => (isFailed(result) ? null : (result.detail ?? null))),
    results.map(({ result }) => (isFailed(result) || result.changes === undefined ? null : JSON.stringify(result.changes))),
    results.map(({ result }) => (isFailed(result) ? JSON.stringify(result.failed) : null)),
    results.map(attemptsAfter),
  ])
}

async function recordFailures(tx: Transaction, results: readonly InstanceResult[]): Promise<void> {
  const failures = results.filter(({ result }) => isFailed(result))
  if (failures.length === 0) return
  await tx.query(
    `INSERT INTO sluice.failure (message_id, ordinal, integration, external_id, code, class, fingerprint, attempts, due_at)
     SELECT u.message_id, u.ordinal, u.integration, u.external_id, u.code, u.class, u.fingerprint, u.attempts, now() + make_interval(secs => u.delay)
     FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::integer[])
       AS u (message_id, ordinal, integration, external_id, code, class, fingerprint, attempts, delay)`,
    [
      failures.map(({ instance }) => instance.messageId),
      failures.map(({ instance }) => instance.ordinal),
      failures.map(({ integration }) => integration),
      failures.map(({ instance }) => instance.externalId),
      failures.map(({ result }) => (isFailed(result) ? result.failed.code : '')),
      failures.map(({ result }) => (isFailed(result) ? result.failed.class : '')),
      failures.map(({ fingerprint }) => fingerprint),
      failures.map(attemptsAfter),
      failures.map((failure) =>
        isFailed(failure.result) && failure.result.failed.class === 'transient'
          ? retryDelay(attemptsAfter(failure) - failure.instance.attemptsBefore)
          : null,
      ),
    ],
  )
}

function attemptsAfter({ instance, result }: InstanceResult): number {
  return isFailed(result) && result.failed.class === 'missing_reference' ? instance.attempts : instance.attempts + 1
}

/** What became of one instance. */
export interface InstanceOutcome {
  ordinal: number
  externalId: string | null
  outcome: Outcome | null
  detail: string | null
  changes: Changes | null
  error: Failed['failed'] | null
}

/** What became of a message's instances, by ordinal. */
export async function readOutcomes(db: Queryable, messageId: string): Promise<InstanceOutcome[]> {
  const { rows } = await db.query<Omit<InstanceOutcome, 'changes' | 'error'> & { changes: string | null; error: string | null }>(
    `SELECT ordinal, external_id AS "externalId", outcome, detail, changes, error FROM sluice.instance WHERE message_id = $1 ORDER BY ordinal`,
    [messageId],
  )
  return rows.map((row) => ({
    ...row,
    changes: row.changes === null ? null : (JSON.parse(row.changes) as Changes),
    error: row.error === null ? null : (JSON.parse(row.error) as Failed['failed']),
  }))
}
