/**
 * A receiving side as it is often written: `node whole-body-server.ts URL`. It reads the whole body, parses it, and upserts its objects
 * in one transaction before it answers, a thousand in a statement. Tells its parent the port.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import type { z } from 'zod'
import { manySql } from '../employee-upsert.ts'
import { Employee } from '../sluice.config.ts'

const pool = new pg.Pool({ connectionString: process.argv[2], max: 10 })
const batchSize = 1000

const server = createServer((request, response) => {
  receive(request).then(
    (count) => response.writeHead(202).end(JSON.stringify({ count })),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))

async function receive(request: IncomingMessage): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const sent = Buffer.concat(chunks)
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString('utf8')
  const objects: z.infer<typeof Employee>[] = []
  if (request.headers['content-type'] === 'application/x-ndjson') {
    for (const line of text.split('\n')) if (line !== '') objects.push(Employee.parse(JSON.parse(line)))
  } else {
    const parsed: unknown = JSON.parse(text)
    for (const object of Array.isArray(parsed) ? parsed : [parsed]) objects.push(Employee.parse(object))
  }
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    for (let from = 0; from < objects.length; from += batchSize)
      await client.query(manySql, [JSON.stringify(objects.slice(from, from + batchSize))])
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
  return objects.length
}
