/**
 * The state machine as a model: messages, chunks with lease and epoch, instances, ledger, references. Every method is one
 * transaction of the real thing. Whatever rule of it is a pure function in `src/model` is that function here.
 */
import { advance, compareArrivals, decide, type ObjectVersions } from '../../src/model/fields.ts'
import type { FailureClass, Outcome } from '../../src/model/outcome.ts'
import { retryDelay } from '../../src/model/outcome.ts'
import { canInstanceMove, canMessageMove, type InstanceStatus, isFinished, type MessageStatus, rolledUp } from '../../src/model/status.ts'
import { canonicalVersion } from '../../src/model/version.ts'
import { type Arrived, type FieldName, fieldNames, type Row, type Sent, type Setting } from './objects.ts'

export interface Message {
  id: number
  status: MessageStatus
  objects: ModelObject[]
}

/** What is peculiar about an object. */
export interface ModelObject {
  sent: Sent
  /** How often it fails with a transient error before it goes well. */
  flaky: number
  /** It kills whoever has it in hand. */
  isPoison: boolean
  /** It fails until somebody mends its cause. */
  isBroken: boolean
}

export interface Instance {
  message: Message
  ordinal: number
  object: ModelObject
  chunk: Chunk
  status: 0 | 2 | -2
  outcome: Outcome | null
  failure: { class: FailureClass; dueAt: number | null; code: string } | null
  attempts: number
  attemptsBefore: number
  generation: number
  arrived: Arrived
}

export interface Chunk {
  id: number
  message: Message
  instances: Instance[]
  state: 'ready' | 'claimed' | 'finished'
  epoch: number
  leaseUntil: number
  dueAt: number
  losses: number
  trying: Instance | null
  suspect: Instance | null
  suspectLosses: number
}

/** A chunk as its worker knows it: as it was when it was claimed. */
export interface Claim {
  chunk: Chunk
  epoch: number
  losses: number
  suspect: Instance | null
  suspectLosses: number
}

interface Entry extends ObjectVersions {
  /** Which row references to the object resolve to. */
  ref: number | null
}

interface Link {
  owner: string
  wanted: string
}

/** A row of the target. A link holds the row that it points at. */
export type TargetRow = { deleted: boolean; name: string | null; phone: string | null; boss: number | null }

const lease = 60
const none: ObjectVersions & { ref: number | null } = { applied: null, fields: {}, deleted: false, ref: null }

export class World {
  readonly setting: Setting
  /** By the database's clock, in seconds. */
  now = 0
  readonly messages: Message[] = []
  readonly chunks: Chunk[] = []
  readonly instances: Instance[] = []
  readonly ledger = new Map<string, Entry>()
  readonly rows = new Map<string, TargetRow>()
  readonly links: Link[] = []
  /** What instances with a missing reference wait for. */
  readonly awaited = new Map<Instance, Set<string>>()
  /** All arrivals, those of pruned messages too. */
  readonly history: Arrived[] = []
  /** Effects that were committed, by instance and generation. */
  readonly effects = new Map<string, number>()
  /** Moves that were made, for whoever counts which of them there are. */
  readonly moves = new Set<string>()
  #rows = 0
  #lastMessage = 0
  #lastChunk = 0

  constructor(setting: Setting) {
    this.setting = setting
  }

  receive(objects: ModelObject[]): Message {
    const message: Message = { id: ++this.#lastMessage, status: 0, objects }
    this.messages.push(message)
    return message
  }

  /** 0 → 1 or -1. */
  validate(message: Message, isCorrect: boolean): void {
    if (message.status === 0) this.#moveMessage(message, isCorrect ? 1 : -1)
  }

  /** 1 or -2 → 2 with its chunks, or 1 → -2. */
  split(message: Message, fails: boolean): void {
    if (message.status !== 1 && message.status !== -2) return
    if (fails) {
      if (message.status === 1) this.#moveMessage(message, -2)
      return
    }
    this.#moveMessage(message, 2)
    const { chunkSize } = this.setting
    for (let from = 0; from < message.objects.length; from += chunkSize) {
      const chunk = this.#newChunk(message)
      for (const [index, object] of message.objects.slice(from, from + chunkSize).entries()) {
        const ordinal = from + index
        const arrived: Arrived = { sent: object.sent, message: message.id, ordinal, didReset: false, supplied: false, without: [] }
        this.history.push(arrived)
        const instance: Instance = {
          message,
          ordinal,
          object,
          chunk,
          status: 0,
          outcome: null,
          failure: null,
          attempts: 0,
          attemptsBefore: 0,
          generation: 0,
          arrived,
        }
        chunk.instances.push(instance)
        this.instances.push(instance)
      }
    }
  }

  #newChunk(message: Message): Chunk {
    const chunk: Chunk = {
      id: ++this.#lastChunk,
      message,
      instances: [],
      state: 'ready',
      epoch: 0,
      leaseUntil: 0,
      dueAt: this.now,
      losses: 0,
      trying: null,
      suspect: null,
      suspectLosses: 0,
    }
    this.chunks.push(chunk)
    return chunk
  }

  /** Claims a chunk that is due, if there is one. */
  claim(choose: (due: Chunk[]) => Chunk): Claim | null {
    const due = this.chunks.filter((chunk) => chunk.state === 'ready' && chunk.dueAt <= this.now)
    if (due.length === 0) return null
    const chunk = choose(due)
    chunk.state = 'claimed'
    chunk.epoch++
    chunk.leaseUntil = this.now + lease
    for (const instance of chunk.instances) if (instance.status === 0) this.#noteInstance(0, 1)
    return { chunk, epoch: chunk.epoch, losses: chunk.losses, suspect: chunk.suspect, suspectLosses: chunk.suspectLosses }
  }

  /** Whether the claim still stands: every transaction of a worker begins so. */
  holds({ chunk, epoch }: Claim): boolean {
    return chunk.state === 'claimed' && chunk.epoch === epoch
  }

  giveBack(claim: Claim, delay: number): void {
    if (!this.holds(claim)) return
    this.#release(claim.chunk, this.now + delay)
  }

  /** Chunks whose lease ran out go back; the object that was in hand is the suspect. */
  reclaim(): void {
    for (const chunk of this.chunks) {
      if (chunk.state !== 'claimed' || chunk.leaseUntil >= this.now) continue
      const { trying } = chunk
      if (trying !== null) {
        chunk.suspectLosses = trying === chunk.suspect ? chunk.suspectLosses + 1 : 1
        chunk.suspect = trying
      }
      chunk.losses++
      this.#release(chunk, this.now)
    }
  }

  #release(chunk: Chunk, dueAt: number): void {
    chunk.state = 'ready'
    chunk.trying = null
    chunk.dueAt = dueAt
    for (const instance of chunk.instances) if (instance.status === 0) this.#noteInstance(1, 0)
  }

  /** Outside its transaction: which object is tried next. */
  noteTrying(claim: Claim, instance: Instance): boolean {
    if (!this.holds(claim)) return false
    claim.chunk.trying = instance
    claim.chunk.leaseUntil = this.now + lease
    return true
  }

  /**
   * The applying transaction: effect, results, ledger and counts. Gives the objects that can be referred to from now on, and
   * those that are missed.
   *
   * @param only this instance; the others go on waiting
   * @param isQuarantined that one is not tried any more
   */
  apply(claim: Claim, only: Instance | null, isQuarantined = false): { gained: string[]; missed: string[] } {
    const { chunk } = claim
    if (!this.holds(claim)) return { gained: [], missed: [] }
    let pending = chunk.instances.filter((instance) => instance.status === 0 && (only === null || instance === only))
    const before = new Map(pending.map(({ object }) => [object.sent.key, this.#entry(object.sent.key).ref]))
    const missed: string[] = []
    if (isQuarantined && only !== null) this.#fail(only, 'permanent', 'quarantined')
    else
      for (let waitsForOthers = true; pending.length > 0; ) {
        const later = pending.filter((instance, index) => !this.#applyOne(instance, pending.slice(index + 1), waitsForOthers, missed))
        waitsForOthers = later.length < pending.length
        pending = later
      }
    chunk.trying = null
    if (chunk.instances.every(({ status }) => status !== 0)) chunk.state = 'finished'
    const gained = [...before].filter(([key, ref]) => ref === null && this.#entry(key).ref !== null).map(([key]) => key)
    for (const link of this.links) missed.push(link.wanted)
    return { gained, missed }
  }

  /** False: it waits for another one of the same batch. */
  #applyOne(instance: Instance, others: readonly Instance[], waitsForOthers: boolean, missed: string[]): boolean {
    const { sent } = instance.object
    if (instance.object.isBroken) {
      this.#fail(instance, 'permanent', 'broken')
      return true
    }
    if (instance.attempts < instance.object.flaky) {
      this.#fail(instance, 'transient', 'flaky')
      return true
    }
    const entry = this.#entry(sent.key)
    const type = this.setting.versionType
    const version = type === null ? null : canonicalVersion(type, { string: sent.version ?? '' })
    if (type !== null && version === null) throw new Error(`"${sent.version}" is no ${type}`)
    const arrival = { version, messageId: String(instance.message.id), ordinal: instance.ordinal }
    const carried = fieldNames.filter((field) => sent.values[field] !== undefined)
    const decision = decide(type, entry, arrival, carried, fieldNames, entry.ref !== null)
    if (decision.kind === 'superseded') {
      // It counts: what newer ones supplied lies over it, and what was deleted after it is gone.
      instance.arrived.supplied = true
      this.#succeed(instance, 'superseded')
      return true
    }
    let supply = [...decision.supply] as FieldName[]
    const boss = supply.includes('boss') ? (sent.values.boss ?? null) : null
    if (boss !== null && this.#entry(boss).ref === null && this.setting.missing === 'wait') {
      if (sent.deleted) supply = supply.filter((field) => field !== 'boss')
      else {
        if (waitsForOthers && others.some((other) => other.object.sent.key === boss && boss !== sent.key)) return false
        this.#fail(instance, 'missing_reference', 'missing_reference')
        this.awaited.set(instance, new Set([boss]))
        missed.push(boss)
        return true
      }
    }
    const { outcome, ref, isGone } = this.#write(sent, supply, decision.kind === 'late', entry)
    const supplied = isGone ? fieldNames : supply
    const next = advance(type, entry, arrival, { kind: decision.kind, supply: supplied }, supplied, fieldNames, sent.deleted)
    if (entry.applied !== null && next.applied !== null && compareArrivals(type, next.applied, entry.applied) < 0)
      throw new Error(`the ledger of ${sent.key} went back`)
    this.ledger.set(sent.key, { ...next, ref: isGone ? null : ref })
    this.#deferLinks(sent, supply, isGone)
    if (isGone) instance.arrived.didReset = true
    else {
      instance.arrived.supplied = true
      instance.arrived.without = decision.supply.filter((field) => !supply.includes(field as FieldName)) as FieldName[]
    }
    this.#succeed(instance, outcome)
    return true
  }

  /** The effect on the target. */
  #write(
    sent: Sent,
    supply: readonly FieldName[],
    isLate: boolean,
    entry: Entry,
  ): { outcome: Outcome; ref: number | null; isGone: boolean } {
    const { ref } = entry
    const isDeletion = sent.deleted && !isLate
    if (isDeletion && ref === null) return { outcome: 'ignored', ref: null, isGone: true }
    if (isDeletion && this.setting.deletion === 'hard') {
      this.rows.delete(sent.key)
      return { outcome: 'deleted', ref: null, isGone: true }
    }
    const row = this.rows.get(sent.key) ?? { deleted: false, name: null, phone: null, boss: null }
    if (supply.includes('name')) row.name = sent.values.name ?? null
    if (supply.includes('phone')) row.phone = sent.values.phone ?? null
    if (supply.includes('boss')) row.boss = sent.values.boss == null ? null : this.#entry(sent.values.boss).ref
    if (!isLate) row.deleted = sent.deleted
    this.rows.set(sent.key, row)
    return { outcome: ref === null ? 'created' : isDeletion ? 'deleted' : 'updated', ref: ref ?? ++this.#rows, isGone: false }
  }

  /** A link belongs to the version that asked for it. */
  #deferLinks(sent: Sent, supply: readonly FieldName[], isGone: boolean): void {
    if (!isGone && !supply.includes('boss')) return
    this.#dropLinks((link) => link.owner === sent.key)
    const boss = sent.values.boss ?? null
    if (!isGone && boss !== null && this.#entry(boss).ref === null) this.links.push({ owner: sent.key, wanted: boss })
  }

  #dropLinks(which: (link: Link) => boolean): void {
    for (let index = this.links.length - 1; index >= 0; index--) {
      const link = this.links[index]
      if (link !== undefined && which(link)) this.links.splice(index, 1)
    }
  }

  /** After a commit, or in the sweep: what waited for these objects goes on, if they are there. */
  settle(keys: readonly string[]): void {
    const there = new Set(keys.filter((key) => this.#entry(key).ref !== null))
    for (const link of this.links) {
      const row = this.rows.get(link.owner)
      if (there.has(link.wanted) && row !== undefined) row.boss = this.#entry(link.wanted).ref
    }
    this.#dropLinks((link) => there.has(link.wanted))
    const released: Instance[] = []
    for (const [instance, wanted] of this.awaited) {
      for (const key of there) wanted.delete(key)
      if (wanted.size === 0) released.push(instance)
    }
    this.requeue(released, {})
  }

  /** All that waits, joined with the ledger. */
  sweep(): void {
    this.settle([...this.ledger.keys()])
  }

  /** Failed instances, with `replay` processed ones too, wait again in new chunks. */
  requeue(instances: readonly Instance[], { replay = false, byClick = false }: { replay?: boolean; byClick?: boolean }): void {
    const moving = instances.filter(
      (instance) =>
        (instance.status === -2 || (replay && instance.status === 2)) &&
        [2, 3, -3].includes(instance.message.status) &&
        !this.#isGone(instance),
    )
    for (const message of new Set(moving.map((instance) => instance.message))) {
      const own = moving.filter((instance) => instance.message === message)
      for (let from = 0; from < own.length; from += this.setting.chunkSize) {
        const chunk = this.#newChunk(message)
        for (const instance of own.slice(from, from + this.setting.chunkSize)) this.#putBack(instance, chunk, replay, byClick)
      }
      if (message.status !== 2) this.#moveMessage(message, 2)
    }
  }

  #isGone(instance: Instance): boolean {
    return !this.instances.includes(instance)
  }

  #putBack(instance: Instance, chunk: Chunk, replay: boolean, byClick: boolean): void {
    instance.chunk.instances = instance.chunk.instances.filter((other) => other !== instance)
    chunk.instances.push(instance)
    instance.chunk = chunk
    this.#noteInstance(instance.status, 0)
    instance.status = 0
    instance.outcome = null
    instance.failure = null
    if (replay) instance.generation++
    if (byClick) instance.attemptsBefore = instance.attempts
    this.awaited.delete(instance)
  }

  /** Transient failures whose time has come. */
  requeueDue(): void {
    this.requeue(
      this.instances.filter(({ failure }) => failure !== null && failure.dueAt !== null && failure.dueAt <= this.now),
      {},
    )
  }

  rollUp(message: Message): void {
    const own = this.chunks.filter((chunk) => chunk.message === message)
    if (message.status !== 2 || own.some((chunk) => chunk.state !== 'finished')) return
    this.#moveMessage(message, rolledUp(own.some((chunk) => chunk.instances.some(({ status }) => status === -2))))
  }

  /** Retention: a finished message goes with all that belongs to it, unless something of it comes again by itself. */
  prune(message: Message): void {
    const own = this.instances.filter((instance) => instance.message === message)
    if (!isFinished(message.status) || own.some(({ failure }) => failure !== null && failure.dueAt !== null)) return
    if (![3, -3, -1].includes(message.status)) throw new Error(`message ${message.id} at ${message.status} was pruned`)
    for (const instance of own) {
      this.awaited.delete(instance)
      this.instances.splice(this.instances.indexOf(instance), 1)
    }
    for (let index = this.chunks.length - 1; index >= 0; index--) if (this.chunks[index]?.message === message) this.chunks.splice(index, 1)
    this.messages.splice(this.messages.indexOf(message), 1)
  }

  #entry(key: string): Entry {
    return this.ledger.get(key) ?? none
  }

  #succeed(instance: Instance, outcome: Outcome): void {
    this.#end(instance, 2)
    instance.outcome = outcome
    instance.attempts++
    const key = `${instance.message.id}.${instance.ordinal} g${instance.generation}`
    this.effects.set(key, (this.effects.get(key) ?? 0) + 1)
  }

  #fail(instance: Instance, failureClass: FailureClass, code: string): void {
    this.#end(instance, -2)
    if (failureClass !== 'missing_reference') instance.attempts++
    const delay = failureClass === 'transient' ? retryDelay(instance.attempts - instance.attemptsBefore) : null
    instance.failure = { class: failureClass, dueAt: delay === null ? null : this.now + delay, code }
  }

  #end(instance: Instance, status: 2 | -2): void {
    if (instance.status !== 0) throw new Error(`I4: ${instance.message.id}.${instance.ordinal} ended twice`)
    this.#noteInstance(1, status)
    instance.status = status
  }

  #moveMessage(message: Message, to: MessageStatus): void {
    this.moves.add(`message ${message.status} ${to}`)
    if (!canMessageMove(message.status, to)) throw new Error(`message ${message.id} can't go from ${message.status} to ${to}`)
    message.status = to
  }

  #noteInstance(from: InstanceStatus, to: InstanceStatus): void {
    this.moves.add(`instance ${from} ${to}`)
    if (!canInstanceMove(from, to)) throw new Error(`an instance can't go from ${from} to ${to}`)
  }

  /** The target's row as the fold tells it: a link by the key of the object that it points at. */
  rowOf(key: string): Row | null {
    const row = this.rows.get(key)
    if (row === undefined) return null
    const boss = [...this.ledger].find(([, entry]) => entry.ref !== null && entry.ref === row.boss)?.[0] ?? null
    return { ...row, boss }
  }
}
