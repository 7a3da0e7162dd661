/** Says that retention has removed something, and when. Nothing while it is still there. */
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Time } from './Time.tsx'

export function PrunedNote({ text, at }: { text: string; at: string | null }): ReactNode {
  if (at === null) return null
  return (
    <Text size="sm" c="dimmed">
      {text} <Time at={at} />
    </Text>
  )
}
