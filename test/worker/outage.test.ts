import { expect, test } from 'vitest'
import { DatabaseError } from '../../src/store/db.ts'
import { Outage } from '../../src/worker/outage.ts'

function outageWithLog(): { outage: Outage; told: string[] } {
  const told: string[] = []
  const note =
    (level: string) =>
    (_: object, message: string): void => {
      told.push(`${level}: ${message}`)
    }
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  return { outage: new Outage(log), told }
}

const gone = new DatabaseError('no connection', { sqlstate: '08006' })

test('the same outage in every loop is told once, and so is its end', () => {
  const { outage, told } = outageWithLog()
  for (let round = 0; round < 5; round++) for (const loop of ['lane 1', 'tasks', 'maintenance']) outage.failed(loop, gone, 500)
  expect(told).toEqual(['error: worker could not go on; it tries again'])
  outage.succeeded('tasks')
  outage.succeeded('maintenance')
  expect(told).toHaveLength(1)
  outage.succeeded('lane 1')
  outage.succeeded('lane 1')
  expect(told).toEqual(['error: worker could not go on; it tries again', 'info: worker goes on'])
  outage.failed('tasks', gone, 500)
  expect(told).toHaveLength(3)
})

test('what is no outage is told every time', () => {
  const { outage, told } = outageWithLog()
  outage.failed('tasks', gone, 500)
  for (let round = 0; round < 3; round++) outage.failed('lane 1', new TypeError('a bug'), 500)
  expect(told).toHaveLength(4)
})
