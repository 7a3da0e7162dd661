/** A morning's work, to look at: a release, changes of it, a message that is not correct, objects that wait and that fail. */
import { readFile } from 'node:fs/promises'
import type { Site } from './support.ts'

const release = new URL('../../examples/ror/data/v2.0.json', import.meta.url)

/** Addresses of things that {@link sendMorning} makes. */
export const morning = {
  message: 'messages/3?status=-2',
  notCorrect: 'messages/4?body=shown&place=/1/id',
  created: 'instances/1.0',
  updated: 'instances/6.0',
  waiting: 'instances/3.3',
  object: 'objects?integration=organization&externalId=https%3A%2F%2Fror.org%2F0001j6c19',
} as const

/** Fills the inbox of a fresh site, and does everything that is due. */
export async function sendMorning(site: Site): Promise<void> {
  const text = await readFile(release, 'utf8')
  await site.send('organization', text) // 1
  await site.drain()
  await site.send('position', [
    { ms_id: 'p-1', title: 'Nurse' },
    { ms_id: 'p-2', title: 'Doctor' },
  ]) // 2
  const staff = Array.from({ length: 240 }, (_, index) => ({
    ms_id: `e-${1000 + index}`,
    name: index % 60 === 7 ? 7 : `Employee ${index}`,
    position_ms_id: index % 16 === 3 ? 'p-9' : `p-${1 + (index % 2)}`,
  }))
  await site.send('employee', staff) // 3
  await site.send('organization', '[{"id":"https://ror.org/x"},{"id":5}]') // 4
  await site.send('anything', [
    { id: 'order-81', fail: 'The shop is closed until 8:00.' },
    { id: 'order-82', fail: 'The shop is closed until 9:00.' },
    { id: 'order-83', note: 'delivered' },
  ]) // 5
  await site.drain()
  const records = JSON.parse(text) as { established: number; admin: { last_modified: { date: string } } }[]
  for (const [index, record] of records.slice(0, 3).entries()) {
    record.established = 1066 + index
    record.admin.last_modified.date = '2026-01-01'
  }
  await site.send('organization', records.slice(0, 40)) // 6
  await site.drain()
}
