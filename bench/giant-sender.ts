/**
 * Sends a file as the body of one POST, as a stream, from a process of its own: `node giant-sender.ts URL HEADERS FILE`. Tells its
 * parent when it began, when it was answered (milliseconds since 1970) and what.
 */
import { createReadStream } from 'node:fs'
import { request } from 'node:http'

/** What the sender tells. */
export interface Sent {
  began: number
  answered: number
  /** 0: the connection was closed without an answer. */
  status: number
  body: string
}

const [url = '', headers = '{}', path = ''] = process.argv.slice(2)
const began = Date.now()
const tell = (status: number, body: string): void => {
  const sent: Sent = { began, answered: Date.now(), status, body }
  process.send?.(sent, () => process.exit())
}
const post = request(url, { method: 'POST', headers: JSON.parse(headers) as Record<string, string> }, (response) => {
  let body = ''
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    body += text
  })
  response.on('end', () => tell(response.statusCode ?? 0, body))
})
post.on('error', (error) => tell(0, error.message))
createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(post)
