/** A status: its number and its label; the colour beside them only repeats what they say. */
import type { CSSProperties, ReactNode } from 'react'
import { isKey, useLanguage } from '../i18n/language.tsx'

const colors: Record<string, Record<number, string>> = {
  message: { 0: 'gray', 1: 'gray', 2: 'blue', 3: 'green', [-1]: 'red', [-2]: 'red', [-3]: 'orange' },
  instance: { 0: 'gray', 1: 'blue', 2: 'green', [-2]: 'red' },
}

export function StatusBadge({ of, status }: { of: 'message' | 'instance'; status: number }): ReactNode {
  const { t } = useLanguage()
  const key = `${of}.status.${status}`
  return (
    <span className="status" style={{ '--of': `var(--mantine-color-${colors[of]?.[status] ?? 'gray'}-6)` } as CSSProperties}>
      {status} · {isKey(key) ? t(key) : ''}
    </span>
  )
}
