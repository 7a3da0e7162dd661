/** Links to things by their id, and links that look like Mantine's. */
import { Anchor } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { createLink } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { sessionQuery } from '../api/queries.ts'
import { Plain } from './Plain.tsx'

export const TextLink = createLink(Anchor<'a'>)

export function MessageLink({ id }: { id: string }): ReactNode {
  return (
    <TextLink to="/messages/$id" params={{ id }}>
      {id}
    </TextLink>
  )
}

export function InstanceLink({ id }: { id: string }): ReactNode {
  return (
    <TextLink to="/instances/$id" params={{ id }}>
      {id}
    </TextLink>
  )
}

/** @param externalId null: an object that has none is nobody's history */
export function ObjectLink({ integration, externalId }: { integration: string; externalId: string | null }): ReactNode {
  const { data } = useQuery(sessionQuery)
  if (externalId === null) return '–'
  // A sender sees its own messages, not what others made of an object.
  if (data?.role === 'sender') return <Plain text={externalId} limit={Number.POSITIVE_INFINITY} />
  return (
    <TextLink to="/objects" search={{ integration, externalId }}>
      <Plain text={externalId} limit={Number.POSITIVE_INFINITY} />
    </TextLink>
  )
}
