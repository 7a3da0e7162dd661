/**
 * What senders send in a schedule, and, told without any code of ours, what must become of it: an object's arrivals folded in
 * the order of their versions.
 */
import type { VersionType } from '../../src/model/integration.ts'
import type { Random } from './random.ts'

/** Fields of the target; `boss` refers to another object of the same integration. */
export const fieldNames = ['name', 'phone', 'boss'] as const
export type FieldName = (typeof fieldNames)[number]

/** An object as it is sent. */
export interface Sent {
  key: string
  /** Place of its version among all versions; the text has another shape in every type. */
  rank: number
  version: string | null
  deleted: boolean
  values: Partial<Record<FieldName, string | null>>
}

/** What a schedule is about. */
export interface Setting {
  /** null: no declared version, order is arrival. */
  versionType: VersionType | null
  /** Whether a reference waits or is filled in later. */
  missing: 'wait' | 'defer'
  /** Whether a deletion leaves a row behind. */
  deletion: 'soft' | 'hard'
  chunkSize: number
}

const keys = ['a', 'b', 'c', 'd']
const ranks = 7

export function randomSetting(random: Random): Setting {
  return {
    versionType: random.pick([null, 'integer', 'decimal', 'timestamp', 'text']),
    missing: random.pick(['wait', 'defer']),
    deletion: random.pick(['soft', 'hard']),
    chunkSize: 1 + random.below(4),
  }
}

export function randomObject(random: Random, setting: Setting): Sent {
  const rank = random.below(ranks)
  const values: Sent['values'] = {}
  if (random.chance(0.7)) values.name = `name ${random.below(1000)}`
  if (random.chance(0.5)) values.phone = random.chance(0.2) ? null : `phone ${random.below(1000)}`
  const key = random.pick(keys)
  if (random.chance(0.4)) values.boss = random.chance(0.2) ? null : random.pick(keys.filter((other) => other !== key))
  return { key, rank, version: versionText(random, setting.versionType, rank), deleted: random.chance(0.15), values }
}

/** In the order of code points, where UTF-16 and many a collation have another. */
const texts = ['', 'A', 'Z', 'a', 'é', '～', '😀']
/** Each at the same moment of its rank, however it is written. */
const hour = 3600

/** A version of this rank, in one of the many ways to write it. */
function versionText(random: Random, type: VersionType | null, rank: number): string | null {
  switch (type) {
    case null:
      return null
    case 'integer': {
      // More digits than a double has; negative ones too.
      const value = 9_007_199_254_740_993n * BigInt(rank - 3)
      return random.pick([String(value), value >= 0n ? `+${value}` : String(value), value >= 0n ? `00${value}` : `-00${-value}`])
    }
    case 'decimal':
      return random.pick([`${rank - 3}.50`, `${(rank - 3) * 10 + (rank < 3 ? -5 : 5)}e-1`])
    case 'timestamp': {
      const offset = random.pick([-11, 0, 5])
      const local = new Date((hour * rank + offset * hour) * 1000).toISOString().replace('.000Z', '')
      return `${local}.250${offset === 0 ? 'Z' : offset < 0 ? '-11:00' : '+05'}`
    }
    case 'text':
      return texts[rank] ?? ''
  }
}

/** One arrival of an object, with what was done with it. */
export interface Arrived {
  sent: Sent
  message: number
  ordinal: number
  /** It was a deletion when nothing newer was there, and left no row: whatever was before it is forgotten. */
  didReset: boolean
  /** What it carried counts, but for the links that a deletion couldn't make. */
  supplied: boolean
  without: readonly FieldName[]
}

/** How an object must look. */
export type Row = { deleted: boolean } & Record<FieldName, string | null>

/**
 * The arrivals of one object folded in the order of their versions, arrivals by message and ordinal where those are equal:
 * each overwrites the fields that it carries. Null: there is no row.
 */
export function fold(setting: Setting, arrivals: readonly Arrived[]): Row | null {
  const ordered = [...arrivals].sort(
    (a, b) => (setting.versionType === null ? 0 : a.sent.rank - b.sent.rank) || a.message - b.message || a.ordinal - b.ordinal,
  )
  let row: Row | null = null
  for (const { sent, didReset, supplied, without } of ordered) {
    if (didReset) row = null
    if (!supplied) continue
    row ??= { deleted: false, name: null, phone: null, boss: null }
    for (const field of fieldNames) {
      const value = sent.values[field]
      if (value !== undefined && !without.includes(field)) row[field] = value
    }
    row.deleted = sent.deleted
  }
  return row
}
