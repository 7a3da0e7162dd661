/**
 * How Node is to run where bodies are streamed. On a machine with much memory V8 lets the objects that are new take 128 MiB, and buffers
 * that nobody needs any more stay as long; with an eighth of that the same messages took 2 to 3 % more of the processor, and each process
 * 80 to 100 MiB less memory (docs/decisions/0015).
 */
const option = '--max-semi-space-size'

/** The options of Node for a process that this one starts: its own, and a bound for new objects if it has none. */
export function boundedOptions(own: readonly string[] = process.execArgv): string[] {
  return own.some((each) => each.startsWith(option)) ? [...own] : [...own, `${option}=16`]
}

/**
 * Starts the program again in the same process, with a bound, if it has none: V8 takes it at the start only. Does nothing where a process
 * can't be replaced (Windows, Node before 22.15) or belongs to a parent that it talks to.
 */
export function boundThisProcess(): void {
  const options = boundedOptions()
  if (options.length === process.execArgv.length || process.platform === 'win32' || process.connected) return
  process.execve?.(process.execPath, [process.execPath, ...options, ...process.argv.slice(1)])
}
