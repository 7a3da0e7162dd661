/** To the next page of a list, and back to the first; the browser's own Back goes to the one before. */
import { Button, Group, NativeSelect } from '@mantine/core'
import type { ReactNode } from 'react'
import { pageSize } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'

export interface PagerProps {
  cursor: string | undefined
  next: string | null
  onGo(cursor: string | undefined): void
  /** Where the number of rows can be chosen: what the address says of it. */
  size?: { limit: string | undefined; onChange(limit: string | undefined): void }
}

/** The most is what the server gives at once unless its config says otherwise. */
const sizes = [pageSize, 200, 1000]

export function Pager({ cursor, next, onGo, size }: PagerProps): ReactNode {
  const { t } = useLanguage()
  const isOnePage = cursor === undefined && next === null
  if (isOnePage && size?.limit === undefined) return null
  return (
    <Group component="nav" aria-label={t('common.paging')}>
      <Button variant="default" disabled={cursor === undefined} onClick={() => onGo(undefined)}>
        {t('common.first')}
      </Button>
      <Button variant="default" disabled={next === null} onClick={() => onGo(next ?? undefined)}>
        {t('common.next')}
      </Button>
      {size !== undefined && (
        <NativeSelect
          aria-label={t('common.rows')}
          value={size.limit ?? String(pageSize)}
          onChange={({ currentTarget: { value } }) => size.onChange(value === String(pageSize) ? undefined : value)}
          data={sizes.map((rows) => ({ value: String(rows), label: t('common.rowsOf', { n: rows }) }))}
        />
      )}
    </Group>
  )
}
