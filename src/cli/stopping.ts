/** Ctrl-C and SIGTERM: the first asks to finish what is in hand, a later one ends at once. */

/** A terminal and a wrapper such as npm may both pass the same Ctrl-C on. */
const sameSignalMilliseconds = 500
const interruptedExitCode = 130

/** Resolves with the first SIGINT or SIGTERM; a second one ends the process with code 130. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined
    const onSignal = (): void => {
      const now = performance.now()
      if (askedAt !== undefined && now - askedAt > sameSignalMilliseconds) process.exit(interruptedExitCode)
      askedAt ??= now
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}
