/** To the next page of a list, and back to the first; the browser's own Back goes to the one before. */
import { Button, Group } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'

export interface PagerProps {
  cursor: string | undefined
  next: string | null
  onGo(cursor: string | undefined): void
}

export function Pager({ cursor, next, onGo }: PagerProps): ReactNode {
  const { t } = useLanguage()
  if (cursor === undefined && next === null) return null
  return (
    <Group component="nav" aria-label={t('common.paging')}>
      <Button variant="default" disabled={cursor === undefined} onClick={() => onGo(undefined)}>
        {t('common.first')}
      </Button>
      <Button variant="default" disabled={next === null} onClick={() => onGo(next ?? undefined)}>
        {t('common.next')}
      </Button>
    </Group>
  )
}
