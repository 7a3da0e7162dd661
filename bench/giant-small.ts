/** The other senders of `giant`: messages of one employee each at a steady rate, and how long each takes. */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { employee } from './employees.ts'

/** Messages a second. */
const rate = 20

/** One message that was answered. Milliseconds since 1970. */
export interface SmallSent {
  began: number
  answered: number
  /** What the answer said. */
  body: string
}

/** Sends until the signal, then waits for the answers. `next` numbers the objects across calls. */
export async function sendSmall(
  url: string,
  headers: Record<string, string>,
  next: () => number,
  signal: AbortSignal,
): Promise<SmallSent[]> {
  const agent = new Agent({ keepAlive: true })
  const from = Date.now()
  const sent: Promise<SmallSent>[] = []
  while (!signal.aborted) {
    const body = JSON.stringify({ ...employee(0), ms_id: `S-${next()}` })
    sent.push(post(url, { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }, agent, body))
    await sleep(Math.max(0, from + (sent.length * 1000) / rate - Date.now()))
  }
  const answered = await Promise.all(sent)
  agent.destroy()
  return answered
}

function post(url: string, headers: Record<string, string>, agent: Agent, body: string): Promise<SmallSent> {
  const began = now()
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () =>
        response.statusCode === 202
          ? resolve({ began, answered: now(), body: text })
          : reject(new Error(`the server answered a small message with ${response.statusCode}: ${text}`)),
      )
      response.on('error', reject)
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
