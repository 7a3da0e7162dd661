/** Shows how far something is, on stderr: a bar that redraws itself on a terminal, else a plain line now and then. */

const barWidth = 24
const redrawMilliseconds = 80
const lineMilliseconds = 2000
/** Also for terminals that say 0. */
const defaultColumns = 80

/** What is drawn on: `process.stderr`, or a stand-in. */
export interface Screen {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export class Progress {
  readonly #screen: Screen
  readonly #now: () => number
  #label = ''
  #last = ''
  #lastAt = Number.NEGATIVE_INFINITY
  #lastPrinted = ''

  /** @param now milliseconds of a clock that only goes forward */
  constructor(screen: Screen = process.stderr, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
  }

  /**
   * Tells the state of the thing named `label`.
   *
   * @param total null where nobody knows how much there is
   * @param show how a number is written; default: as it is
   */
  update(label: string, done: number, total: number | null, show: (count: number) => string = String): void {
    if (label !== this.#label) this.#finishLabel()
    this.#label = label
    const amount = total === null ? show(done) : `${show(done)} of ${show(total)}`
    const share = total === null || total === 0 ? null : Math.min(done / total, 1)
    this.#last = this.#screen.isTTY ? barLine(label, share, amount, this.#screen.columns || defaultColumns) : `${label}: ${amount}`
    const every = this.#screen.isTTY ? redrawMilliseconds : lineMilliseconds
    if (this.#now() - this.#lastAt >= every) this.#print()
  }

  /** Shows the last state and ends the line. */
  end(): void {
    this.#finishLabel()
  }

  #finishLabel(): void {
    if (this.#label === '') return
    this.#print()
    if (this.#screen.isTTY) this.#screen.write('\n')
    this.#label = ''
    this.#lastPrinted = ''
    this.#lastAt = Number.NEGATIVE_INFINITY
  }

  #print(): void {
    this.#lastAt = this.#now()
    if (this.#last === this.#lastPrinted) return
    this.#lastPrinted = this.#last
    this.#screen.write(this.#screen.isTTY ? `\r\u001b[K${this.#last}` : `${this.#last}\n`)
  }
}

function barLine(label: string, share: number | null, amount: string, columns: number): string {
  const filled = Math.round((share ?? 0) * barWidth)
  const bar =
    share === null ? '' : ` [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${String(Math.floor(share * 100)).padStart(3)}%`
  return `${label}${bar}  ${amount}`.slice(0, columns - 1)
}
