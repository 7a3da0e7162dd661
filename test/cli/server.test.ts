/** The server of `sluice serve`: how long a body may take. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { type Listening, listen } from '../../src/cli/server.ts'
import { createSluice, defineConfig, defineIntegration, type Sluice } from '../../src/index.ts'

const token = 'a-token-of-the-tests-that-is-long-enough'
const thing = defineIntegration({
  name: 'thing',
  schema: z.object({ id: z.string() }),
  key: 'id',
  target: (t) => t.handler({ apply: () => 'created' }),
})

let sluice: Sluice
let server: Listening

beforeEach(async () => {
  // No database is needed before a whole part has come.
  const database = { url: 'postgres://127.0.0.1:1/nowhere' }
  sluice = createSluice(defineConfig({ integrations: [thing], database, token, logLevel: 'silent' }, {}))
  server = await listen(sluice, '127.0.0.1', 0, 100)
})
afterEach(async () => {
  await server.close()
  await sluice.close()
})

test.each([
  ['with a length', 'Content-Length: 4000\r\n\r\n['],
  ['in pieces', 'Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n'],
])('a body %s of which nothing more comes is cut off', async (_, rest) => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST /api/integrations/thing/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${rest}`)
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes
  })
  await once(socket, 'close')
  // Not refused: the server was waiting for more.
  expect(answer).toBe('')
})
