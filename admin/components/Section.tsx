/** A part of a page with a heading of its own. */
import { Stack, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

/** @param anchor what an address ends with that leads to it */
export function Section({ title, anchor, children }: { title: string; anchor?: string; children: ReactNode }): ReactNode {
  const id = useId()
  return (
    <Stack component="section" aria-labelledby={id} gap="xs" id={anchor}>
      <Title order={2} size="h3" id={id}>
        {title}
      </Title>
      {children}
    </Stack>
  )
}
