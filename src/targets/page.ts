/** The page target, its contract with a site, and what a user writes of both. */
export type {
  DesiredPage,
  DesiredParent,
  DesiredState,
  KnownPage,
  PageErrorCode,
  PagePolicy,
  PageResult,
  PageSite,
  PageWord,
  SiteContext,
} from './page/contract.ts'
export { pageErrorCodes } from './page/contract.ts'
export type { PageMapping, ParentHelper, PlaceHelper } from './page/mapping.ts'
export { pageTarget } from './page/target.ts'
export { whichDatabaseSql } from './page/which-database.ts'
