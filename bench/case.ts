/** What a benchmark is, so that one runner runs, prints and keeps them all. */

export interface BenchOptions {
  /** Objects to send, or what a case counts instead. Default: the case's own. */
  objects?: number
  /** How often everything is measured, interleaved with its peers. */
  rounds: number
  /** Told what is going on. */
  say(line: string): void
}

/** What was asked of a figure, and what it is. */
export interface Goal {
  /** `first load, of the floor's rate` */
  of: string
  figure: number
  /** What it was to be: one of the two. */
  least?: number
  most?: number
}

export interface Report {
  /** All figures, as JSON: with the machine, the versions and the command. */
  result: object
  /** The same for people: a table in Markdown, with what was measured and by which command. */
  markdown: string
  goals: readonly Goal[]
}

export interface BenchCase {
  name: string
  /** One line for the list of cases. */
  about: string
  /** Measures, or says what is missing here to do so. */
  run(options: BenchOptions): Promise<Report | { skipped: string }>
}

/** `least 0.33: 0.35, met`, as lines of Markdown; empty without goals. */
export function goalLines(goals: readonly Goal[]): string[] {
  return goals.map(({ of, figure, least, most }) => {
    const met = (least === undefined || figure >= least) && (most === undefined || figure <= most)
    const asked = [...(least === undefined ? [] : [`at least ${least}`]), ...(most === undefined ? [] : [`at most ${most}`])].join(', ')
    return `- ${of}: ${asked} asked, ${rounded(figure)} measured: ${met ? 'met' : '**not met**'}`
  })
}

/** A figure as a reader wants it: whole from 100, else three digits. */
export function rounded(figure: number): string {
  return Math.abs(figure) >= 100 ? Math.round(figure).toLocaleString('en') : String(Number(figure.toPrecision(3)))
}
