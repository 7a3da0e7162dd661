/** Integrations: what is configured, and whether one is paused. */
import type { Integration } from '../config.ts'
import type { Services } from '../services.ts'
import { listPaused, type PausedIntegration } from '../store/reads/integrations.ts'
import { resumeIntegration } from '../store/resume.ts'
import { type Principal, requireConfigured, requireIntegration } from './auth.ts'
import { answer, type Handlers, limitOf } from './call.ts'
import { cursorPart, decodeCursor, encodeCursor } from './cursor.ts'
import { relativeReference } from './path.ts'
import { presentPause } from './present.ts'

/** Handlers of the integrations. */
export const integrations: Handlers<'integrations' | 'integration' | 'resume'> = {
  async integrations(call) {
    const { services, principal, query, path } = call
    const [after = ''] = decodeCursor(query.cursor, [cursorPart.text]) ?? []
    const limit = limitOf(call)
    const visible = [...services.config.integrations.values()]
      .filter(({ name }) => name > after && (principal.integrations === null || principal.integrations.includes(name)))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const paused = await listPaused(services.db)
    const items = visible.slice(0, limit).map((integration) => present(services, integration, paused, path))
    const last = items.at(-1)
    return answer(call, { items, next: visible.length > limit && last !== undefined ? encodeCursor([last.name]) : null })
  },

  async integration(call) {
    const { services, principal, params, path } = call
    const integration = find(services, principal, params.name)
    return answer(call, present(services, integration, await listPaused(services.db), path))
  },

  async resume(call) {
    const { services, principal, params } = call
    const { name } = find(services, principal, params.name)
    // The target may have been mended: this process looks at it again. Others do when their chunk fails.
    services.forgetTarget(name)
    return answer(call, { name, resumed: await resumeIntegration(services.db, name, principal.name) })
  },
}

function find(services: Services, principal: Principal, name: string): Integration {
  requireIntegration(principal, name)
  return requireConfigured(services, name)
}

function present(services: Services, integration: Integration, paused: readonly PausedIntegration[], path: string) {
  const { name, key, version, onInvalid, target } = integration
  const { body, decompressed, objects, depth, keyLength, numberLength } = services.config.limits
  const pause = paused.find((candidate) => candidate.integration === name)
  return {
    name,
    endpoint: relativeReference(path, `/api/integrations/${name}/messages`),
    key,
    version: version ?? null,
    deletes: integration.deleted !== undefined,
    onInvalid,
    schema: services.validators.get(name)?.jsonSchema ?? null,
    target: { ...target.describe(), kind: target.kind },
    limits: { body, decompressed, objects, depth, keyLength, numberLength },
    paused: pause === undefined ? null : presentPause(pause),
  }
}
