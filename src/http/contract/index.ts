/** The types of the HTTP contract, for programs that call it. */
export type { Issue, Problem, Role } from './common.ts'
export type { ErrorGroup, Instance, InstanceItem, ObjectHistory, TargetObject } from './instance.ts'
export type { IntegrationView, Resumed } from './integration.ts'
export type { Counts, DryRun, Message, Receipt } from './message.ts'
export type { Overview } from './overview.ts'
export type { Session } from './session.ts'
export type { RunPreview, RunRequest, TaskRun, TaskView } from './task.ts'
export type { CreatedToken, TokenRequest, TokenView } from './token.ts'

/** A page of a list. */
export interface Page<T> {
  items: T[]
  /** Give it as `?cursor=`; null at the end. */
  next: string | null
}
