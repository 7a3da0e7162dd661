import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runExample } from './run-example.ts'

test('npm start, twice: 477 created, then 477 unchanged', { timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-ror-'))
  const start = () => runExample('ror/start.ts', ['--exit', '--folder', join(folder, 'data')], { PORT: '0' })
  try {
    const first = await start()
    expect(first).toMatchObject({ code: 0 })
    expect(first.stdout).toMatch(/Message 1: status 3, "Processed", 477 objects in \d+\.\d s/)
    expect(first.stdout).toMatch(/outcome {2}objects\n {2}created {6}477\n\n/)
    expect(first.stdout).toContain('the release names 2724 relationships, 326 rows link two organizations')
    expect(first.stdout).toMatch(/ {2}ror_id {8}https:\/\/ror\.org\/\w{9}\n/)

    const second = await start()
    expect(second).toMatchObject({ code: 0 })
    expect(second.stdout).toContain('Message 2: status 3, "Processed", 477 objects')
    expect(second.stdout).toMatch(/outcome {4}objects\n {2}unchanged {6}477\n\n/)
    expect(second.stdout).toContain('326 rows link two organizations')
  } finally {
    await rm(folder, { recursive: true })
  }
})
