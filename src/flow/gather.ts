/** Group commit: what comes in while a transaction is under way is done together, in the next one. */

interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Does single things in groups. One that comes alone is done at once; those that come meanwhile wait for it, and are done in one
 * go. One group at a time.
 */
export class Gathering<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #harmsOnlyItself: (error: unknown) => boolean
  readonly #most: number
  readonly #waiting: Waiting<Item, Result>[] = []
  #isAtWork = false

  /**
   * @param work does a group in one transaction, and gives a result for each item, in their order
   * @param harmsOnlyItself whether a group failed for what may be one of its items: then they are done one by one
   * @param most items in a group
   */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>, harmsOnlyItself: (error: unknown) => boolean, most: number) {
    this.#work = work
    this.#harmsOnlyItself = harmsOnlyItself
    this.#most = most
  }

  /** Resolves with the item's result once its group is committed; throws what it, or its group, failed with. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#isAtWork) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isAtWork = true
    while (this.#waiting.length > 0) await this.#perform(this.#waiting.splice(0, this.#most))
    this.#isAtWork = false
  }

  async #perform(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(group.map(({ item }) => item))
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (group.length > 1 && this.#harmsOnlyItself(error)) for (const one of group) await this.#perform([one])
      else for (const { reject } of group) reject(error)
    }
  }
}
