/** A moment: date and time, and how long ago in its title. */
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'

export function Time({ at }: { at: string | null }): ReactNode {
  const { format } = useLanguage()
  if (at === null) return '–'
  return (
    <time dateTime={at} title={format.ago(at, Date.now())}>
      {format.time(at)}
    </time>
  )
}
