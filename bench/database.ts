/** A database for each thing that is measured. */
import pg from 'pg'

let databases = 0

/** Runs something in a database of its own, and drops that. */
export async function inDatabase<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `bench_${++databases}`
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    const result = await work(url.href)
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
    // What one leaves to be written must not slow the next one down.
    await client.query('CHECKPOINT')
    return result
  } finally {
    await client.end()
  }
}
