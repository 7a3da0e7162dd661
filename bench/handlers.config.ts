/** The employees of the benchmarks by handlers: `HANDLER` is `applyMany` or `apply`. One query each, through the transaction given. */
import { defineConfig, defineIntegration } from '../src/index.ts'
import { manySql, oneSql, oneValues } from './employee-upsert.ts'
import { Employee } from './sluice.config.ts'

const employee = defineIntegration({
  name: 'employee',
  schema: Employee,
  key: 'ms_id',
  target: (t) =>
    process.env.HANDLER === 'apply'
      ? t.handler({
          async apply(object, { tx }) {
            await tx.query(oneSql, oneValues(object))
            return 'created'
          },
        })
      : t.handler({
          async applyMany(items, { tx }) {
            await tx.query(manySql, [JSON.stringify(items.map(({ object }) => object))])
            return 'created'
          },
        }),
})

export default defineConfig({ integrations: [employee], logLevel: 'warn', worker: { processes: 2 } })
