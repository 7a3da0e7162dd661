/** What must be true of a world: in every moment, and when it has come to rest. Told without the code that is tested. */
import { fieldNames, fold } from './objects.ts'
import type { World } from './world.ts'

/** Throws when something is wrong that may never be. */
export function checkAlways(world: World): void {
  for (const [key, count] of world.effects) if (count > 1) throw new Error(`I4: ${key} was applied ${count} times`)
  for (const chunk of world.chunks) {
    for (const instance of chunk.instances) {
      if (instance.chunk !== chunk) throw new Error(`I2: ${instance.message.id}.${instance.ordinal} is in two chunks`)
      if (chunk.state === 'finished' && instance.status === 0) throw new Error(`I2: chunk ${chunk.id} is finished and an instance waits`)
    }
  }
  for (const message of world.messages) {
    const own = world.instances.filter((instance) => instance.message === message)
    const isSplit = [2, 3, -3].includes(message.status)
    if (own.length !== (isSplit ? message.objects.length : 0)) throw new Error(`I2: message ${message.id} has ${own.length} instances`)
    if (own.some((instance, ordinal) => instance.ordinal !== ordinal || instance.object !== message.objects[ordinal]))
      throw new Error(`I2: the instances of message ${message.id} are not its objects in order`)
    if (message.status !== 3 && message.status !== -3) continue
    // I5, but while something is processed again the message is at 2.
    const failed = own.filter(({ status }) => status === -2).length
    if (own.some(({ status }) => status === 0)) throw new Error(`I5: message ${message.id} is at ${message.status} and an instance waits`)
    if ((message.status === -3) !== failed > 0) throw new Error(`I5: message ${message.id} is at ${message.status} with ${failed} failures`)
  }
}

/** Ten retries after the first attempt, or after a click. */
const mostAttempts = 11

/** Throws when something is wrong once all faults are over and nothing is due. */
export function checkAtRest(world: World): void {
  for (const instance of world.instances) {
    const name = `${instance.message.id}.${instance.ordinal}`
    const { object, failure } = instance
    if (instance.attempts - instance.attemptsBefore > mostAttempts) throw new Error(`I6: ${name} was tried ${instance.attempts} times`)
    if (instance.status === 2) {
      if (world.effects.get(`${name} g${instance.generation}`) !== 1) throw new Error(`I4: ${name} is processed without an effect`)
      continue
    }
    if (failure === null) throw new Error(`I2: ${name} is at ${instance.status}`)
    const isRight =
      (failure.code === 'quarantined' && object.isPoison) ||
      // Mended or not: it waits for a click.
      failure.code === 'broken' ||
      (failure.code === 'flaky' && instance.attempts - instance.attemptsBefore === mostAttempts) ||
      (failure.code === 'missing_reference' && (world.ledger.get(object.sent.values.boss ?? '')?.ref ?? null) === null)
    if (!isRight) throw new Error(`I6: ${name} rests with ${failure.code} after ${instance.attempts} attempts, and should not`)
  }
  for (const key of new Set(world.history.map(({ sent }) => sent.key))) checkObject(world, key)
}

/** I3: the target's row is the object's arrivals folded in the order of their versions. */
function checkObject(world: World, key: string): void {
  const { setting } = world
  const expected = fold(
    setting,
    world.history.filter(({ sent }) => sent.key === key),
  )
  const found = world.rowOf(key)
  // Where rows go for good, a link may point at one that is gone; that is the target's foreign key's to say.
  const compared = setting.deletion === 'hard' ? fieldNames.filter((field) => field !== 'boss') : fieldNames
  if (expected !== null && expected.boss !== null && (world.ledger.get(expected.boss)?.ref ?? null) === null) expected.boss = null
  const differs =
    (expected === null) !== (found === null) ||
    (expected !== null &&
      found !== null &&
      (expected.deleted !== found.deleted || compared.some((field) => expected[field] !== found[field])))
  if (differs) throw new Error(`I3: "${key}" is ${JSON.stringify(found)}, folded it is ${JSON.stringify(expected)}`)
}
