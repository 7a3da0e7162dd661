/** Points in the write of a page, seen from the site's database, at which the site is held until the test has done its worst. */
import { randomInt } from 'node:crypto'
import pg from 'pg'

/** In this order, of a page that changes. */
export type Point = 'before its revision' | 'between its revision and the page' | 'before the commit' | 'in the commit'

const triggers: Record<Point, (id: string, title: string) => string> = {
  'before its revision': (_, title) => `BEFORE INSERT ON wagtailcore_revision FOR EACH ROW WHEN (new.object_str = '${title}')`,
  'between its revision and the page': (_, title) =>
    `BEFORE UPDATE OF title ON wagtailcore_page FOR EACH ROW WHEN (new.title = '${title}')`,
  // The record is what is written last.
  'before the commit': (id) => `AFTER UPDATE ON sluice_wagtail_pagerecord FOR EACH ROW WHEN (new.external_id = '${id}')`,
  'in the commit': (id) =>
    `AFTER UPDATE ON sluice_wagtail_pagerecord DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.external_id = '${id}')`,
}

export interface Hold {
  /** Whether somebody is there. */
  isReached(): Promise<boolean>
  release(): Promise<void>
}

/** Holds whoever comes to a point; also after the database was started anew. */
export class Holds {
  readonly #pool: pg.Pool

  private constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  static async open(url: string): Promise<Holds> {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    // Its connection goes away with the server, and the next query has another one.
    pool.on('error', () => undefined)
    await pool.query(`
      CREATE TABLE hold (key integer PRIMARY KEY);
      CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(tg_argv[0]::integer); -- to be seen by
        WHILE EXISTS (SELECT FROM hold WHERE key = tg_argv[0]::integer) LOOP PERFORM pg_sleep(0.01); END LOOP;
        RETURN new;
      END $$`)
    return new Holds(pool)
  }

  /** From now on, who comes to the point in the write of the page stays there until `release`. */
  async at(point: Point, id: string, title: string): Promise<Hold> {
    const pool = this.#pool
    const key = randomInt(2 ** 31)
    const kind = point === 'in the commit' ? 'CONSTRAINT TRIGGER' : 'TRIGGER'
    await pool.query(
      `INSERT INTO hold VALUES (${key}); CREATE ${kind} hold_${key} ${triggers[point](id, title)} EXECUTE FUNCTION hold(${key})`,
    )
    return {
      async isReached() {
        const { rowCount } = await pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1::bigint::oid", [key])
        return (rowCount ?? 0) > 0
      },
      async release() {
        await pool.query('DELETE FROM hold WHERE key = $1', [key])
      },
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
