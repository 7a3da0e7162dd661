/**
 * The worker of per-batch.ts, a process of its own: `node per-batch-worker.ts URL HOW NUMBER OF`. It takes every OF-th batch, in a
 * transaction each: reads the objects, checks them, upserts them and records their status. Says when it is connected, and when it is done.
 */
import { once } from 'node:events'
import pg from 'pg'
import { manySql, oneSql, oneValues } from '../employee-upsert.ts'
import { Employee } from '../sluice.config.ts'
import { batchSize } from './per-batch.ts'

const [url, how, number, of] = process.argv.slice(2)
const client = new pg.Client({ connectionString: url })
await client.connect()
process.send?.('ready')
const [{ count }] = (await once(process, 'message')) as [{ count: number }]
for (let first = Number(number) * batchSize; first < count; first += Number(of) * batchSize) {
  await client.query('BEGIN')
  const { rows } = await client.query<{ data: string }>(
    'SELECT data::text AS data FROM public.received WHERE ordinal >= $1 AND ordinal < $2 ORDER BY ordinal',
    [first, first + batchSize],
  )
  const objects = rows.map(({ data }) => Employee.parse(JSON.parse(data)))
  if (how === 'apply') for (const object of objects) await client.query(oneSql, oneValues(object))
  else await client.query(manySql, [JSON.stringify(objects)])
  await client.query('UPDATE public.received SET status = 2 WHERE ordinal >= $1 AND ordinal < $2', [first, first + batchSize])
  await client.query('COMMIT')
}
process.send?.('done')
await client.end()
process.disconnect()
