/** `/api/events`: server-sent events that say when there may be something new, so that nobody has to ask over and over. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../services.ts'
import { readWriteMark } from '../store/reads/changes.ts'
import type { Handlers } from './call.ts'

/** How often the database is asked, in milliseconds, while somebody listens. */
const lookEvery = 1000
/** How long a stream lasts, in milliseconds. Then the browser comes again by itself, and shows again who it is. */
const longestStream = 60_000

const changed = Buffer.from('event: changed\ndata: {}\n\n')
const beginning = Buffer.from(`retry: ${lookEvery}\n\n`)

type Stream = ReadableStreamDefaultController<Uint8Array>

/** The streams of one application. However many there are, the database is asked once a second. */
export class Events implements Handlers<'events'> {
  readonly #streams = new Set<Stream>()
  #isWatching = false

  /** Begins a stream. */
  readonly events: Handlers<'events'>['events'] = ({ services }) => {
    let own: Stream | undefined
    let end: NodeJS.Timeout | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => {
        own = stream
        stream.enqueue(beginning)
        this.#streams.add(stream)
        end = setTimeout(() => this.#end(stream), longestStream)
        end.unref()
      },
      cancel: () => {
        clearTimeout(end)
        if (own !== undefined) this.#streams.delete(own)
      },
    })
    if (!this.#isWatching) void this.#watch(services)
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' } })
  }

  /** Ends every stream: a server can't close while one goes on. */
  endAll(): void {
    for (const stream of this.#streams) this.#end(stream)
  }

  #end(stream: Stream): void {
    if (this.#streams.delete(stream)) stream.close()
  }

  async #watch(services: Services): Promise<void> {
    this.#isWatching = true
    let last = ''
    while (this.#streams.size > 0) {
      // While the database doesn't answer there is nothing new.
      const mark = await readWriteMark(services.db).catch(() => last)
      if (last !== '' && mark !== last) this.#tell()
      last = mark
      await sleep(lookEvery, undefined, { ref: false })
    }
    this.#isWatching = false
  }

  #tell(): void {
    for (const stream of this.#streams) {
      // Who hasn't read the last event yet needs no other.
      if ((stream.desiredSize ?? 0) > 0) stream.enqueue(changed)
    }
  }
}
