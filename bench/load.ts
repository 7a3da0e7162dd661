/** A load of many small requests, from this process. `fetch` would take more of the cores than what is measured. */
import { Agent, request } from 'node:http'

/** Several senders, each with one request at a time, for so many seconds. */
export async function many(senders: number, send: () => Promise<void>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: senders }, async () => {
      while (performance.now() < end) await send()
    }),
  )
}

/** Sends one body after the other over connections that are kept; an answer that isn't 2xx is an error. */
export function postTo(address: string, headers: Record<string, string> = {}): (body: string) => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return (body) =>
    new Promise((resolve, reject) => {
      const sent = request(
        address,
        { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } },
        (response) => {
          response.resume()
          response.on('end', () =>
            response.statusCode === 202 ? resolve() : reject(new Error(`the server answered ${response.statusCode}`)),
          )
          response.on('error', reject)
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
}
