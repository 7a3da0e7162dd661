/** The server of per-request.ts, a process of its own: `node per-request-server.ts URL`. Tells its parent the port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.argv[2], max: 10 })

const server = createServer((request, response) => {
  take(request)
    .then(() => response.writeHead(202).end('{}'))
    .catch((error: unknown) => response.writeHead(500).end(String(error)))
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

async function take(request: Parameters<typeof text>[0]): Promise<void> {
  const body = await text(request)
  const object = JSON.parse(body) as Record<string, unknown>
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('INSERT INTO public.received (data) VALUES ($1)', [body])
    const { rows } = await client.query<{ id: string }>('SELECT id FROM public.organization WHERE ms_id = $1', [object.organization_ms_id])
    await client.query(
      `INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (ms_id) DO UPDATE SET name = excluded.name, position = excluded.position, date_joined = excluded.date_joined,
         joined_by = excluded.joined_by, organization_id = excluded.organization_id, deleted_at = excluded.deleted_at`,
      [object.ms_id, object.name, object.position, object.date_joined, object.joined_by, rows[0]?.id, object.deleted_at],
    )
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}
