/**
 * Takes the pictures of the README over from those that the tests of the admin UI left in `.pictures/`:
 * `node scripts/run.mjs scripts/pictures.ts`. What is in `docs/pictures/` is committed.
 */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'

const made = new URL('../.pictures/', import.meta.url)
const kept = new URL('../docs/pictures/', import.meta.url)
const prefix = 'readme-'

mkdirSync(kept, { recursive: true })
for (const name of readdirSync(made).filter((each) => each.startsWith(prefix))) {
  copyFileSync(new URL(name, made), new URL(name.slice(prefix.length), kept))
  console.log(`docs/pictures/${name.slice(prefix.length)}`)
}
