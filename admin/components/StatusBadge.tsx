/** A status: its number and its label; the colour only repeats what they say. */
import { Badge } from '@mantine/core'
import type { ReactNode } from 'react'
import { isKey, useLanguage } from '../i18n/language.tsx'

const colors: Record<string, Record<number, string>> = {
  message: { 0: 'gray', 1: 'gray', 2: 'blue', 3: 'green', [-1]: 'red', [-2]: 'red', [-3]: 'orange' },
  instance: { 0: 'gray', 1: 'blue', 2: 'green', [-2]: 'red' },
}

export function StatusBadge({ of, status }: { of: 'message' | 'instance'; status: number }): ReactNode {
  const { t } = useLanguage()
  const key = `${of}.status.${status}`
  return (
    <Badge
      color={colors[of]?.[status] ?? 'gray'}
      variant="outline"
      tt="none"
      fw={600}
      h="auto"
      styles={{ label: { whiteSpace: 'normal' } }}
    >
      {status} · {isKey(key) ? t(key) : ''}
    </Badge>
  )
}
