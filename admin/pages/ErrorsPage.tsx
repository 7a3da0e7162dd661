/** Failures, grouped by integration and cause. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { ErrorGroup } from '../../src/http/contract/index.ts'
import { errorsQuery, mostCounted } from '../api/queries.ts'
import { Code } from '../components/Code.tsx'
import { type Column, DataTable } from '../components/DataTable.tsx'
import { FilterBar } from '../components/FilterBar.tsx'
import { InstanceLink, TextLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { Pager } from '../components/Pager.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { RunButton } from '../components/RunButton.tsx'
import { Time } from '../components/Time.tsx'
import { useIntegrationFilter } from '../components/use-integration-filter.ts'
import { useLanguage } from '../i18n/language.tsx'

export function ErrorsPage(): ReactNode {
  const { t } = useLanguage()
  const search = useSearch({ from: '/errors' })
  const navigate = useNavigate({ from: '/errors' })
  const errors = useQuery(errorsQuery(search))
  const columns = useColumns()
  return (
    <Stack>
      <PageTitle>{t('nav.errors')}</PageTitle>
      <FilterBar
        filters={[useIntegrationFilter(), { name: 'errorCode', label: t('field.errorCode') }]}
        values={search}
        onApply={(values) => void navigate({ search: values })}
      />
      <Loaded query={errors}>
        {({ items, next }) => (
          <>
            <DataTable
              label={t('nav.errors')}
              columns={columns}
              rows={items}
              rowId={({ integration, code, fingerprint }) => `${integration} ${code} ${fingerprint}`}
              empty={t('errors.none')}
            />
            <Pager cursor={search.cursor} next={next} onGo={(cursor) => void navigate({ search: { ...search, cursor } })} />
          </>
        )}
      </Loaded>
    </Stack>
  )
}

function useColumns(): Column<ErrorGroup>[] {
  const { t, format } = useLanguage()
  return useMemo(
    () => [
      { id: 'integration', header: t('field.integration'), cell: ({ integration }) => integration },
      { id: 'code', header: t('field.error'), cell: ({ code }) => <Code code={code} /> },
      { id: 'count', header: t('field.count'), isNumber: true, cell: ({ count }) => format.atMost(count, mostCounted) },
      {
        id: 'example',
        header: t('field.example'),
        cell: ({ example }) => (
          <>
            <InstanceLink id={example.id} /> <Plain text={example.message} limit={200} />
          </>
        ),
      },
      {
        id: 'seen',
        header: t('field.seen'),
        cell: ({ firstAt, lastAt }) => (
          <>
            <Time at={firstAt} /> – <Time at={lastAt} />
          </>
        ),
      },
      {
        id: 'actions',
        header: t('common.actions'),
        cell: ({ integration, code, fingerprint }) => (
          <Stack gap="xs" align="flex-start">
            <TextLink to="/instances" search={{ integration, errorCode: code, fingerprint }}>
              {t('errors.instances')}
            </TextLink>
            <RunButton task="reprocess" request={{ integration, errorCode: code, fingerprint }} label={t('errors.reprocess')} />
          </Stack>
        ),
      },
    ],
    [t, format],
  )
}
