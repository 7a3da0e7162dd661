/** A vitest reporter that closes with `N passed, N failed, N skipped`, or leaves the counts to scripts/test.ts when that runs it. */
import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import { type Counts, closingLine, countsFileVariable, recordCounts } from './counts.ts'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const states = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    // What broke outside of a test counts as a failed one: a file that couldn't be loaded, a hook, an unhandled error.
    let broken = unhandledErrors.length
    for (const module of modules) {
      if (module.errors().length > 0) broken++
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) broken++
      for (const test of module.children.allTests()) states[test.result().state]++
    }
    const counts: Counts = { passed: states.passed, failed: states.failed + broken, skipped: states.skipped + states.pending }
    const file = process.env[countsFileVariable]
    if (file === undefined) console.log(`\n${closingLine([counts])}`)
    else recordCounts(file, counts)
  }
}
