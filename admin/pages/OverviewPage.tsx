/** The first page: what needs a person now, then how the work goes. */
import { Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { Overview } from '../../src/http/contract/index.ts'
import { overviewQuery, sessionQuery } from '../api/queries.ts'
import { Attention } from '../components/Attention.tsx'
import { type Column, DataTable } from '../components/DataTable.tsx'
import { TextLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Section } from '../components/Section.tsx'
import { Throughput } from '../components/Throughput.tsx'
import { Tiles } from '../components/Tiles.tsx'
import { Time } from '../components/Time.tsx'
import { useLanguage } from '../i18n/language.tsx'

type Row = Overview['integrations'][number]

export function OverviewPage(): ReactNode {
  const { data } = useQuery(sessionQuery)
  // A sender sees its own messages only.
  return data?.role === 'sender' ? <Navigate to="/messages" replace /> : <OverviewOfAll />
}

function OverviewOfAll(): ReactNode {
  const { t, format } = useLanguage()
  const overview = useQuery(overviewQuery)
  const columns = useColumns()
  return (
    <Stack>
      <PageTitle>{t('nav.overview')}</PageTitle>
      <Loaded query={overview}>
        {(data) => (
          <Stack gap="md">
            <Tiles overview={data} />
            <Section title={t('overview.attention')}>
              <Attention overview={data} />
            </Section>
            <Section title={t('overview.throughput')}>
              <Throughput overview={data} />
            </Section>
            <Section title={t('nav.integrations')}>
              <DataTable label={t('nav.integrations')} columns={columns} rows={data.integrations} rowId={(row) => row.name} />
            </Section>
            <Text size="sm">{t('common.updated', { time: format.time(data.at) })}</Text>
          </Stack>
        )}
      </Loaded>
    </Stack>
  )
}

function useColumns(): Column<Row>[] {
  const { t, format } = useLanguage()
  return useMemo(
    () => [
      {
        id: 'name',
        header: t('field.integration'),
        cell: ({ name }) => (
          <TextLink to="/integrations/$name" params={{ name }}>
            {name}
          </TextLink>
        ),
      },
      { id: 'last', header: t('overview.lastMessage'), cell: ({ lastMessageAt }) => <Time at={lastMessageAt} /> },
      { id: 'backlog', header: t('overview.backlog'), isNumber: true, cell: ({ backlog }) => format.number(backlog) },
      { id: 'oldest', header: t('overview.oldest'), cell: ({ oldestAt }) => (oldestAt === null ? '–' : format.ago(oldestAt, Date.now())) },
      { id: 'failed', header: t('overview.failedNow'), isNumber: true, cell: ({ failed }) => format.number(failed) },
      { id: 'rate', header: t('overview.failureRate'), isNumber: true, cell: (row) => rate(row, format.percent) },
    ],
    [t, format],
  )
}

function rate({ processedLastHour, failedLastHour }: Row, percent: (share: number) => string): string {
  const all = processedLastHour + failedLastHour
  return all === 0 ? '–' : percent(failedLastHour / all)
}
