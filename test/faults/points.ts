/** The points at which a fault can be made to happen: before and after each commit of each stage. Outside of the product, in a wrapper of its database. */
import type { Db, Parameter, PreparedStatement, QueryResult, Transaction } from '../../src/store/db.ts'

/** Each stage with the statement that only its commit has; of several the first counts. */
const stages = {
  receive: /INSERT INTO sluice\.message /,
  'split at intake': /^(?=[\s\S]*INSERT INTO sluice\.instance )(?=[\s\S]*SET status = 1,)/,
  validate: /SET status = 1,/,
  split: /INSERT INTO sluice\.instance /,
  claim: /UPDATE sluice\.chunk SET state = 'claimed'/,
  process: /UPDATE sluice\.instance (i )?SET status = (2|CASE)/,
  'reference came': /UPDATE sluice\.awaited_reference a SET came_at/,
  reprocess: /UPDATE sluice\.instance i SET status = 0/,
  'roll up': /SET status = u\.rolled_up/,
  'sweep of lost chunks': /UPDATE sluice\.chunk c SET state = 'ready'[\s\S]*losses = c\.losses \+ 1/,
  'object alone': /UPDATE sluice\.chunk SET trying = /,
} as const

export type Stage = keyof typeof stages
export const stageNames = Object.keys(stages) as Stage[]

export interface Point {
  stage: Stage
  when: 'before' | 'after'
}

function stageOf(statements: readonly string[]): Stage | null {
  const all = statements.join(';\n')
  return stageNames.find((name) => stages[name].test(all)) ?? null
}

/** A database whose commits stop at the point that is armed, until `reached` lets them go on. */
export function withPoints(db: Db, reached: (point: Point) => Promise<void>): Db {
  const pass = async (stage: Stage | null, when: Point['when']): Promise<void> => {
    if (stage !== null) await reached({ stage, when })
  }
  return {
    kind: db.kind,
    async query<Row>(sql: string | PreparedStatement, parameters?: readonly Parameter[]): Promise<QueryResult<Row>> {
      const stage = stageOf([textOf(sql)])
      await pass(stage, 'before')
      const result = await db.query<Row>(sql, parameters)
      await pass(stage, 'after')
      return result
    },
    async transaction(work, options) {
      const statements: string[] = []
      const result = await db.transaction(async (tx) => {
        const done = await work(noting(tx, statements))
        await pass(stageOf(statements), 'before')
        return done
      }, options)
      await pass(stageOf(statements), 'after')
      return result
    },
    exec: (sql) => db.exec(sql),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
  }
}

function noting(tx: Transaction, statements: string[]): Transaction {
  return {
    inTransaction: true,
    native: tx.native,
    query(sql, parameters) {
      statements.push(textOf(sql))
      return tx.query(sql, parameters)
    },
    exec: (sql) => tx.exec(sql),
  }
}

function textOf(sql: string | PreparedStatement): string {
  return typeof sql === 'string' ? sql : sql.text
}
