/** A worker of a queue, a process of its own: `node worker.ts NAME JOB-SIZE PLACES`. Tells its parent when it works. */
import { queues } from './all.ts'
import type { Places } from './jobs.ts'

const [name, jobSize, places] = process.argv.slice(2)
const queue = queues.find((each) => each.name === name)
if (queue === undefined) throw new Error(`no queue ${name}`)
await queue.work(JSON.parse(places ?? '') as Places, jobSize === '1' ? 1 : 1000)
process.on('disconnect', () => process.exit())
process.send?.('ready')
