/** `/metrics`: Prometheus' text format. Numbers of the queue are read when it is scraped, whichever process did the work. */
import { Gauge, Histogram, Registry } from 'prom-client'
import type { Services } from '../services.ts'
import { readQueueNumbers } from '../store/reads/metrics.ts'
import { forbidden } from './auth.ts'
import type { Handlers } from './call.ts'

/** The numbers of one application. */
export class Metrics implements Handlers<'metrics'> {
  readonly #registry = new Registry()
  readonly #requests: Histogram<'method' | 'route' | 'status'>
  readonly #gauges: QueueGauges

  constructor() {
    const registers = [this.#registry]
    this.#requests = new Histogram({
      name: 'sluice_http_request_duration_seconds',
      help: 'Time from the request to its answer; of a streamed answer, to its beginning.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    })
    this.#gauges = queueGauges(registers)
  }

  /** Notes an answered request. */
  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds)
  }

  /** Answers a scrape. */
  readonly metrics: Handlers<'metrics'>['metrics'] = async ({ services, principal }) => {
    if (principal.integrations !== null)
      throw forbidden('The metrics tell of every integration: they take a token that is not limited to some.')
    await this.#read(services)
    return new Response(await this.#registry.metrics(), { headers: { 'Content-Type': this.#registry.contentType } })
  }

  async #read(services: Services): Promise<void> {
    const numbers = await readQueueNumbers(services.db)
    for (const gauge of Object.values(this.#gauges)) gauge.reset()
    const { backlog, oldest, instances, failures, messages, stages } = this.#gauges
    for (const { integration, instances: count } of numbers.backlog) backlog.set({ integration }, count)
    for (const { integration, seconds } of numbers.oldest) oldest.set({ integration }, seconds)
    for (const { integration, outcome, instances: count } of numbers.outcomes) instances.set({ integration, outcome }, count)
    for (const { integration, code, instances: count } of numbers.failures) failures.set({ integration, code }, count)
    for (const { status, count } of numbers.messages) messages.set({ status: String(status) }, count)
    for (const { integration, stage, seconds } of numbers.stages) stages.set({ integration, stage }, seconds)
  }
}

function queueGauges(registers: Registry[]) {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> =>
    new Gauge({ name, help, labelNames, registers })
  return {
    backlog: gauge('sluice_backlog_instances', 'Instances waiting or being processed.', ['integration']),
    oldest: gauge('sluice_oldest_waiting_seconds', 'Age of the oldest message or chunk that is still to be done.', ['integration']),
    instances: gauge('sluice_instances', 'Processed instances of the messages that are kept, by outcome.', ['integration', 'outcome']),
    failures: gauge('sluice_failed_instances', 'Instances at -2, by error code.', ['integration', 'code']),
    messages: gauge('sluice_messages', 'Messages, by status.', ['status']),
    stages: gauge('sluice_stage_seconds', 'Mean time that a stage took, for messages of the last hour that ended.', [
      'integration',
      'stage',
    ]),
  }
}

type QueueGauges = ReturnType<typeof queueGauges>
