/** Links of an object that are empty until another one comes. */
import { List } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ObjectHistory } from '../../src/http/contract/index.ts'
import { ObjectLink } from './Links.tsx'
import { Time } from './Time.tsx'

export function DeferredLinks({ links }: { links: ObjectHistory['deferredLinks'] }): ReactNode {
  return (
    <List size="sm">
      {links.map(({ field, wanted, externalId, since }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two links may be the same in everything
        <List.Item key={index}>
          {field} → {wanted} <ObjectLink integration={wanted} externalId={externalId} /> · <Time at={since} />
        </List.Item>
      ))}
    </List>
  )
}
