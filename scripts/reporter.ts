/** A vitest reporter that closes with `N passed, N failed, N skipped`, or leaves the counts to scripts/test.ts when that runs it. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import { type Counts, closingLine, countsFileVariable, recordCounts } from './counts.ts'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const states = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    // What broke outside of a test counts as a failed one: a file that couldn't be loaded, a hook, an unhandled error.
    const failures: string[] = []
    const record = (where: string, errors: readonly SerializedError[] | undefined) =>
      failures.push(`${where}: ${errors?.[0]?.message?.split('\n')[0] ?? 'no error told'}`)
    for (const error of unhandledErrors) record('outside of a test', [error])
    for (const module of modules) {
      if (module.errors().length > 0) record(module.relativeModuleId, module.errors())
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) record(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors())
      }
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        states[state]++
        if (state === 'failed') record(`${module.relativeModuleId} > ${test.fullName}`, errors)
      }
    }
    const counts: Counts = { passed: states.passed, failed: failures.length, skipped: states.skipped + states.pending, failures }
    const file = process.env[countsFileVariable]
    if (file === undefined) console.log(`\n${closingLine([counts])}`)
    else recordCounts(file, counts)
  }
}
