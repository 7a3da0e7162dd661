/**
 * `sluice token`: gives out, lists and revokes bearer tokens. Works on the database of the config; where there is none to
 * reach (another process has the embedded one, say), or with `--url`, it asks the server.
 */
import { userInfo } from 'node:os'
import { Argument, Command, Option } from 'commander'
import { SluiceError } from '../errors.ts'
import type { CreatedToken, TokenRequest, TokenView } from '../http/contract/token.ts'
import { DatabaseError } from '../store/db.ts'
import { createToken, listTokens, revokeToken, type StoredToken, type TokenRole } from '../store/token.ts'
import type { Client } from './client.ts'
import { clientOf, collect, run, type ServerOptions, withServerOptions } from './command.ts'
import { ExitCode, exitCodeOf, isSluiceError } from './exit.ts'
import { withSluice } from './open.ts'
import { table } from './output.ts'

/** The same three things, by either way. */
interface TokenStore {
  create(request: TokenRequest): Promise<CreatedToken>
  list(): Promise<TokenView[]>
  revoke(nameOrId: string): Promise<TokenView>
}

interface CreateOptions extends ServerOptions {
  role: TokenRole
  integration?: string[]
}

const roles = ['sender', 'viewer', 'operator', 'admin'] as const satisfies readonly TokenRole[]
const listPage = 1000

export function tokenCommand(): Command {
  const command = new Command('token').description('give out, list and revoke bearer tokens')
  command.addCommand(createCommand())
  command.addCommand(listCommand())
  command.addCommand(revokeCommand())
  return command
}

function createCommand(): Command {
  const command = new Command('create')
    .description('make a token and print it; it is shown once')
    .argument('<name>', 'name of the sender: messages show it as their source')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).default('sender'))
    .option('--integration <name>', 'only this integration; may be given several times (default: all)', collect)
  return withServerOptions(command).action((name: string) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<CreateOptions>()
      const created = await withTokens(options, (tokens) =>
        tokens.create({ name, role: options.role, integrations: options.integration ?? null }),
      )
      output.note(`token ${created.id} "${created.name}", role ${created.role}; it is shown only now:`)
      output.result(created, () => [created.token])
      return ExitCode.done
    }),
  )
}

function listCommand(): Command {
  const command = new Command('list').description('list the tokens, revoked ones too')
  return withServerOptions(command).action(() =>
    run(command, async (output) => {
      const items = await withTokens(command.optsWithGlobals<ServerOptions>(), (tokens) => tokens.list())
      output.result({ items }, () => tokenTable(items))
      return ExitCode.done
    }),
  )
}

function revokeCommand(): Command {
  const command = new Command('revoke')
    .description('revoke a token: it is refused from now on')
    .addArgument(new Argument('<token>', 'its name or id'))
  return withServerOptions(command).action((nameOrId: string) =>
    run(command, async (output) => {
      const revoked = await withTokens(command.optsWithGlobals<ServerOptions>(), (tokens) => tokens.revoke(nameOrId))
      output.result(revoked, () => [`token ${revoked.id} "${revoked.name}" is revoked`])
      return ExitCode.done
    }),
  )
}

function tokenTable(tokens: readonly TokenView[]): string[] {
  if (tokens.length === 0) return ['no tokens']
  return table(
    ['id', 'name', 'role', 'integrations', 'last used', 'state'],
    tokens.map((one) => [
      one.id,
      one.name,
      one.role,
      one.integrations?.join(', ') ?? 'all',
      one.lastUsedAt ?? 'never',
      one.revokedAt === null ? 'valid' : `revoked ${one.revokedAt}`,
    ]),
  )
}

async function withTokens<T>(options: ServerOptions, work: (tokens: TokenStore) => Promise<T>): Promise<T> {
  if (options.url !== undefined) return work(overHttp(clientOf(options)))
  try {
    return await withSluice(options, async ({ services }) => work(inDatabase(services.db)))
  } catch (error) {
    if (!mayBeReachedByHttp(error)) throw error
    return work(overHttp(clientOf(options))).catch((httpError: unknown) => {
      // Neither way works: the database's own reason is the one to mend, unless the server had something to say.
      throw isSluiceError(httpError) && httpError.code !== 'unreachable' ? httpError : error
    })
  }
}

function mayBeReachedByHttp(error: unknown): boolean {
  return exitCodeOf(error) === ExitCode.unreachable || (isSluiceError(error) && error.code === 'config_not_found')
}

/** Who does it, for the audit log. Some containers run under a user without a name. */
function actorName(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return 'cli'
  }
}

function inDatabase(db: Parameters<typeof createToken>[0]): TokenStore {
  const actor = actorName()
  const orNotMigrated = (error: unknown): never => {
    if (error instanceof DatabaseError && (error.sqlstate === '42P01' || error.sqlstate === '3F000')) {
      throw new SluiceError('not_migrated', 'The database has no tables of Sluice yet. Run "sluice migrate".', { cause: error })
    }
    throw error
  }
  return {
    create: ({ name, role, integrations }) =>
      createToken(db, { name, role, integrations: integrations ?? null }, actor).catch(orNotMigrated),
    list: () => listTokens(db, { limit: listPage, after: null }).catch(orNotMigrated),
    async revoke(nameOrId) {
      const revoked = await revokeBy({ name: nameOrId }).catch(orNotMigrated)
      return revoked ?? (/^\d{1,18}$/.test(nameOrId) ? await revokeBy({ id: nameOrId }) : null) ?? notFound(nameOrId)
    },
  }
  function revokeBy(by: { name: string } | { id: string }): Promise<StoredToken | null> {
    return revokeToken(db, by, actor)
  }
}

function overHttp(client: Client): TokenStore {
  const list = async (): Promise<TokenView[]> => (await client.get<{ items: TokenView[] }>(`api/tokens?limit=${listPage}`)).items
  return {
    create: async (request) => (await client.request('POST', 'api/tokens', { json: request })).body as CreatedToken,
    list,
    async revoke(nameOrId) {
      const valid = (await list()).filter((token) => token.revokedAt === null)
      const found = valid.find(({ name }) => name === nameOrId) ?? valid.find(({ id }) => id === nameOrId) ?? notFound(nameOrId)
      await client.request('DELETE', `api/tokens/${found.id}`)
      return found
    },
  }
}

function notFound(nameOrId: string): never {
  throw new SluiceError('token_not_found', `There is no valid token with the name or id "${nameOrId}". See "sluice token list".`)
}
