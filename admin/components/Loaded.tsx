/** Shows what a query read; until then that it loads, or why it failed. */
import { Loader, Stack } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { Failure } from './Failure.tsx'

export function Loaded<Data>({ query, children }: { query: UseQueryResult<Data>; children: (data: Data) => ReactNode }): ReactNode {
  const { t } = useLanguage()
  const retry = (): void => {
    void query.refetch()
  }
  if (query.data === undefined) {
    if (query.error !== null) return <Failure error={query.error} onRetry={retry} />
    return <Loader aria-label={t('common.loading')} role="status" />
  }
  // What was read before stays on the screen while a later read fails.
  return (
    <Stack>
      {query.error !== null && <Failure error={query.error} onRetry={retry} />}
      {children(query.data)}
    </Stack>
  )
}
