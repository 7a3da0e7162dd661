/** The columns that reads use, as the port gives them: bigint, json and jsonb as text, times as ISO 8601 text. */
import type { Outcome } from '../../model/outcome.ts'
import type { MessageStatus } from '../../model/status.ts'
import type { StartedBy, TaskName } from '../../model/task.ts'

interface MessageTable {
  id: string
  integration: string
  source: string
  idempotency_key: string | null
  upload_id: string
  body_sha256: Uint8Array
  body_size: string
  format: 'json' | 'ndjson'
  is_draft: boolean
  status: MessageStatus
  status_details: string | null
  total: number | null
  received_at: string
  validated_at: string | null
  split_at: string | null
  finished_at: string | null
  body_pruned_at: string | null
  history_pruned_at: string | null
  instances_pruned_at: string | null
}

interface InstanceTable {
  message_id: string
  ordinal: number
  chunk_id: string
  integration: string
  external_id: string | null
  data: string
  status: 0 | 2 | -2
  outcome: Outcome | null
  detail: string | null
  changes: string | null
  error: string | null
  attempts: number
  generation: number
  history: string | null
  finished_at: string | null
}

interface ChunkTable {
  id: string
  state: 'ready' | 'claimed' | 'finished'
}

interface FailureTable {
  message_id: string
  ordinal: number
  integration: string
  external_id: string | null
  code: string
  class: string
  fingerprint: string
  failed_at: string
}

interface TaskRunTable {
  id: string
  task: TaskName
  started_by: StartedBy
  actor: string | null
  slot: string | null
  parameters: string
  state: 'queued' | 'running' | 'finished' | 'failed'
  result: string | null
  error: string | null
  worker: string | null
  created_at: string
  started_at: string | null
  finished_at: string | null
}

export interface Tables {
  message: MessageTable
  instance: InstanceTable
  chunk: ChunkTable
  failure: FailureTable
  task_run: TaskRunTable
}
