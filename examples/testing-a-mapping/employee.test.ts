import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createTestSluice } from '../../src/testing/index.ts' // in your project: from 'sluice/testing'
import config from '../employees/sluice.config.ts'

const sql = readFileSync(new URL('../employees/tables.sql', import.meta.url), 'utf8')

test('a position is created, then its title is changed', async () => {
  await using sluice = await createTestSluice(config, { sql })
  await sluice.send('position', { ms_id: 'nurse', title: 'Nurse' })
  await sluice.drain()
  const { id } = await sluice.send('position', { ms_id: 'nurse', title: 'Head nurse' })
  await sluice.drain()
  const changes = { title: { before: 'Nurse', after: 'Head nurse' } }
  expect(await sluice.outcomes(id)).toMatchObject([{ externalId: 'nurse', outcome: 'updated', changes }])
})

test('an employee gets the position that was sent after her', async () => {
  await using sluice = await createTestSluice(config, { sql })
  await sluice.send('organization', {
    ms_id: 'o-1',
    title: 'City hospital',
    district_ms_id: 'north',
    area_ms_id_list: [],
    changed_at: '2026-01-15T09:00:00Z',
  })
  const sent = await sluice.send('employee', {
    ms_id: 7,
    name: 'Ada',
    position_ms_id: 'nurse',
    organization_ms_id: 'o-1',
    date_joined: '2026-02-01',
  })
  await sluice.drain()
  expect(await sluice.outcomes(sent.id)).toMatchObject([{ outcome: null, error: { code: 'missing_reference' } }])

  await sluice.send('position', { ms_id: 'nurse', title: 'Nurse' })
  await sluice.drain()
  expect(await sluice.outcomes(sent.id)).toMatchObject([{ externalId: '7', outcome: 'created' }])
  const { rows } = await sluice.db.query('SELECT e.name, p.title FROM employee e JOIN position p ON p.id = e.position_id')
  expect(rows).toEqual([{ name: 'Ada', title: 'Nurse' }])
})
