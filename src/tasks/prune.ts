/** `prune`: removes what the option `retention` lets go, batch by batch. Safe to begin again wherever it was left. */
import type { Config } from '../config.ts'
import type { FlowContext } from '../flow/index.ts'
import { type MessagePart, type RetentionRule, rulesOf } from '../model/retention.ts'
import type { Db, Queryable } from '../store/db.ts'
import { countLog, countPart, findPruning, finishPruning, type Prunable, pruneLog, prunePart } from '../store/prune.ts'
import { advance, type Progress, type Run } from './task.ts'

/** Counts what went: whole messages, bodies, their bytes, instances, messages that lost their histories, runs, entries of the audit log. */
export async function runPrune(context: FlowContext, run: Run): Promise<Progress> {
  const { db } = context
  let progress = run.progress
  for (const message of await findPruning(db)) {
    run.checkStop()
    progress = await run.save(db, advance(progress, { instances: await finishPruning(db, message) }))
  }
  for (const rule of rulesOf(context.config.retention)) {
    for (let after: string | null = '0'; after !== null; ) {
      run.checkStop()
      const { counts, reached } = await pruneNext(db, rule, after)
      after = reached
      const removed = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
      progress = await run.save(db, advance(progress, removed))
    }
  }
  return progress
}

/** One batch of a rule. */
async function pruneNext(db: Db, rule: RetentionRule, after: string): Promise<{ counts: Record<string, number>; reached: string | null }> {
  if (!('status' in rule)) {
    const { rows, reached } = await pruneLog(db, rule, after)
    return { counts: { [rule.what]: rows }, reached }
  }
  const { messages, instances, bytes, reached } = await prunePart(db, rule, after)
  const counts: Record<MessagePart, Record<string, number>> = {
    body: { bodies: messages, bytes },
    history: { histories: messages },
    instances: { instances },
    message: { messages, instances, bytes },
  }
  return { counts: counts[rule.what], reached }
}

/** What one rule would remove now. */
export type PrunePreview = RetentionRule & Prunable

/** What a run would remove now, rule by rule. A message that goes whole is counted for its parts too. */
export async function previewPrune(db: Queryable, config: Config): Promise<PrunePreview[]> {
  const found: PrunePreview[] = []
  for (const rule of rulesOf(config.retention)) {
    const counted = await ('status' in rule ? countPart(db, rule) : countLog(db, rule))
    found.push({ ...rule, ...counted })
  }
  return found
}
