/** A real site with an editor at it: what the conformance suite needs of one. */
import type { PageSite } from '../../src/targets/page.ts'

export interface EditedSite {
  readonly site: PageSite
  /** The type of pages: it has the fields `phone` (at most 50 characters) and `areas`, and one that is the editors'. */
  readonly type: string
  /** Where pages without a parent stand. */
  readonly place: string
  /** Two areas that are there. */
  readonly areas: readonly [string, string]
  readonly editor: Editor
  /** The address of a page by the slugs from the place down. */
  url(...slugs: string[]): string
}

/** What people do with pages by hand. */
export interface Editor {
  /** Saves a draft with this text in the field that is the editors', and doesn't publish it. */
  write(pageId: string, text: string): Promise<void>
  takeOff(pageId: string): Promise<void>
  /** Publishes the newest revision. */
  publish(pageId: string): Promise<void>
  move(pageId: string, under: string): Promise<void>
  /** As an editor gets rid of a page: into the trash where the site has one. */
  remove(pageId: string): Promise<void>
  look(pageId: string): Promise<Seen>
}

/** What a page says. */
export interface Text {
  title: string
  phone: string
  /** The editors' own. */
  text: string
}

/** A page as a person finds it. */
export interface Seen {
  live: boolean
  /** Its id; of a page at the place, whatever the site has there. */
  parent: string | null
  areas: string[]
  /** What visitors see if the page is live. */
  shown: Text
  /** What the newest revision says. */
  newest: Text
  revisions: number
}
