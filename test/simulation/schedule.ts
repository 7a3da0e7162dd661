/**
 * One schedule: senders, workers that crash, hang and come back, the clock and people, all in an order that a seed gives. Then the
 * faults stop, and everything must come to rest; then the invariants must hold.
 */

import { checkAlways, checkAtRest } from './invariants.ts'
import { randomObject, randomSetting } from './objects.ts'
import { Random } from './random.ts'
import { type Claim, type Instance, type ModelObject, World } from './world.ts'

/** What a worker has in mind. It knows what it was told, not what is. */
interface Worker {
  claim: Claim | null
  step: 'apply' | 'settle' | 'rollUp'
  gained: string[]
  missed: string[]
  /** Objects that it still has to try, when they go one by one. */
  left: Instance[] | null
}

const mostSteps = 90
/** Far more rounds than all retries of all objects need. */
const mostRounds = 200
const longestRetry = 3600

/** What a run of a seed covered. */
export interface Covered {
  moves: ReadonlySet<string>
  /** By name: how often. */
  happened: Map<string, number>
}

/** Runs a seed. Throws what went wrong, with the steps that led to it. */
export function runSchedule(seed: number): Covered {
  return new Schedule(seed).run()
}

class Schedule {
  readonly #random: Random
  readonly #world: World
  readonly #workers: Worker[]
  readonly #trace: string[] = []
  readonly #happened = new Map<string, number>()
  #isCalm = false

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.#world = new World(randomSetting(this.#random))
    this.#workers = Array.from({ length: 1 + this.#random.below(3) }, idle)
  }

  run(): Covered {
    try {
      for (let steps = 10 + this.#random.below(mostSteps); steps > 0; steps--) {
        this.#step()
        checkAlways(this.#world)
      }
      this.#comeToRest()
      checkAlways(this.#world)
      checkAtRest(this.#world)
      return { moves: this.#world.moves, happened: this.#happened }
    } catch (error) {
      const { setting } = this.#world
      throw new Error(`${error instanceof Error ? error.message : error}\n${JSON.stringify(setting)}\n${this.#trace.join('\n')}`, {
        cause: error,
      })
    }
  }

  #did(what: string, about: unknown = ''): void {
    this.#trace.push(`${what} ${typeof about === 'string' ? about : JSON.stringify(about)}`)
    this.#happened.set(what, (this.#happened.get(what) ?? 0) + 1)
  }

  #step(): void {
    const random = this.#random
    const world = this.#world
    const dice = random.below(100)
    if (dice < 12) this.#send()
    else if (dice < 62) this.#work(random.pick(this.#workers))
    else if (dice < 68) this.#intake()
    else if (dice < 76) {
      world.now += random.pick([1, 30, 61, longestRetry])
      this.#did('time', String(world.now))
    } else if (dice < 82) this.#reclaim()
    else if (dice < 86) world.sweep()
    else if (dice < 90) world.requeueDue()
    else if (dice < 94) this.#click()
    else if (dice < 96 && world.messages.length > 0) {
      const message = random.pick(world.messages)
      this.#did('prune', String(message.id))
      world.prune(message)
    } else if (world.messages.length > 0) world.rollUp(random.pick(world.messages))
  }

  #send(): void {
    const random = this.#random
    const objects: ModelObject[] = Array.from({ length: random.below(6) }, () => ({
      sent: randomObject(random, this.#world.setting),
      flaky: random.chance(0.1) ? 1 + random.below(13) : 0,
      isPoison: random.chance(0.02),
      isBroken: random.chance(0.05),
    }))
    this.#world.receive(objects)
    this.#did(
      'send',
      objects.map(({ sent }) => sent),
    )
  }

  /** Validation and split, or the split again of one that failed. */
  #intake(): void {
    const random = this.#random
    for (const message of this.#world.messages) {
      if (message.status === 0) this.#world.validate(message, !random.chance(0.05) || this.#isCalm)
      else if (message.status === 1 || message.status === -2) this.#world.split(message, !this.#isCalm && random.chance(0.2))
    }
  }

  #click(): void {
    const random = this.#random
    const { instances } = this.#world
    const chosen = instances.filter(() => random.chance(0.5))
    const replay = random.chance(0.4)
    if (random.chance(0.5)) for (const { object } of instances) object.isBroken = false
    this.#did(replay ? 'replay' : 'reprocess', chosen.map(nameOf).join(' '))
    this.#world.requeue(chosen, { replay, byClick: true })
  }

  #reclaim(): void {
    this.#did('reclaim')
    this.#world.reclaim()
  }

  /** One step of a worker. */
  #work(worker: Worker): void {
    const random = this.#random
    if (worker.claim === null) {
      worker.claim = this.#world.claim((due) => (this.#isCalm ? (due[0] ?? random.pick(due)) : random.pick(due)))
      worker.step = 'apply'
      worker.left = worker.claim !== null && worker.claim.losses > 0 ? waitingOf(worker.claim) : null
      if (worker.claim !== null)
        this.#did('claim', `${worker.claim.chunk.id} epoch ${worker.claim.epoch} by ${this.#workers.indexOf(worker)}`)
      return
    }
    if (!this.#isCalm && random.chance(0.08)) this.#crash(worker)
    else if (worker.step === 'apply') this.#apply(worker, worker.claim)
    else if (worker.step === 'settle') {
      this.#world.settle([...worker.gained, ...worker.missed])
      worker.step = 'rollUp'
    } else {
      this.#world.rollUp(worker.claim.chunk.message)
      // An object of several went alone: the next one is up.
      if (worker.left !== null && worker.left.length > 0) worker.step = 'apply'
      else worker.claim = null
    }
  }

  #crash(worker: Worker): void {
    this.#did('crash', String(this.#workers.indexOf(worker)))
    Object.assign(worker, idle())
  }

  #apply(worker: Worker, claim: Claim): void {
    const random = this.#random
    const only = worker.left?.shift() ?? null
    if (worker.left !== null && only === null) {
      worker.step = 'rollUp'
      return
    }
    const isQuarantined = only !== null && only === claim.suspect && claim.suspectLosses >= 2
    if (only !== null && !this.#world.noteTrying(claim, only)) {
      worker.claim = null
      return
    }
    const inHand = only === null ? waitingOf(claim) : [only]
    // Only who still holds the chunk gets as far as its objects.
    if (this.#world.holds(claim) && !isQuarantined && inHand.some(({ object, status }) => object.isPoison && status === 0)) {
      this.#crash(worker)
      return
    }
    const fault = this.#isCalm ? 1 : random.next()
    if (fault < 0.06) {
      this.#did('surroundings')
      this.#world.giveBack(claim, 5)
      worker.claim = null
      return
    }
    const holds = this.#world.holds(claim)
    if (!holds) this.#did('zombie', `${claim.chunk.id} epoch ${claim.epoch}`)
    const { gained, missed } = this.#world.apply(claim, only, isQuarantined)
    if (holds) this.#did('apply', `${claim.chunk.id} epoch ${claim.epoch}: ${inHand.map(nameOf).join(' ')}`)
    if (fault < 0.12) {
      // It was committed, but the worker is told that the connection broke.
      this.#did('answer lost')
      this.#world.giveBack(claim, 5)
      worker.claim = null
      return
    }
    Object.assign(worker, { gained, missed, step: 'settle' })
  }

  /** No more faults: everything that is due is done, and time goes by. */
  #comeToRest(): void {
    this.#isCalm = true
    this.#did('calm')
    const world = this.#world
    for (let round = 0; round < mostRounds; round++) {
      this.#intake()
      for (const worker of this.#workers) for (let steps = 0; steps < 4 * (1 + world.setting.chunkSize); steps++) this.#work(worker)
      world.now += longestRetry + 1
      world.reclaim()
      world.requeueDue()
      world.sweep()
      for (const message of [...world.messages]) world.rollUp(message)
      const isAtRest =
        world.messages.every(({ status }) => [3, -3, -1].includes(status)) &&
        world.instances.every(({ failure }) => failure === null || failure.dueAt === null) &&
        this.#workers.every(({ claim }) => claim === null)
      if (isAtRest) return
    }
    throw new Error(`not at rest after ${mostRounds} rounds: ${world.messages.map(({ id, status }) => `${id} at ${status}`).join(', ')}`)
  }
}

function idle(): Worker {
  return { claim: null, step: 'apply', gained: [], missed: [], left: null }
}

function waitingOf({ chunk }: Claim): Instance[] {
  return chunk.instances.filter(({ status }) => status === 0)
}

function nameOf({ message, ordinal, object }: Instance): string {
  return `${message.id}.${ordinal}(${object.sent.key})`
}
