/** Every message, newest first. */
import { Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useMemo, useState } from 'react'
import type { Message } from '../../src/http/contract/index.ts'
import { type ListQuery, messagesQuery } from '../api/queries.ts'
import { type Column, DataTable, type Selection } from '../components/DataTable.tsx'
import { FilterBar } from '../components/FilterBar.tsx'
import { MessageLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { OutcomeBar } from '../components/OutcomeBar.tsx'
import { Pager } from '../components/Pager.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { RunButton } from '../components/RunButton.tsx'
import { StatusBadge } from '../components/StatusBadge.tsx'
import { Time } from '../components/Time.tsx'
import { useIntegrationFilter } from '../components/use-integration-filter.ts'
import { useLanguage } from '../i18n/language.tsx'
import { given } from '../search.ts'

const statuses = [0, 1, -1, 2, -2, 3, -3] as const

export function MessagesPage(): ReactNode {
  const { t } = useLanguage()
  const search: ListQuery = useSearch({ from: '/messages' })
  const navigate = useNavigate({ from: '/messages' })
  const messages = useQuery(messagesQuery(search))
  const [chosen, setChosen] = useState<Selection['chosen']>({})
  const ids = Object.keys(chosen)
  const columns = useColumns()
  return (
    <Stack>
      <PageTitle>{t('nav.messages')}</PageTitle>
      <FilterBar
        filters={useFilters()}
        values={search}
        onApply={(values) => {
          setChosen({})
          void navigate({ search: { ...values, limit: search.limit } })
        }}
      />
      {search.text !== undefined && search.from === undefined && <Text c="red">{t('messages.textNeedsFrom')}</Text>}
      {ids.length > 0 && (
        <Group>
          <Text>{t('messages.selected', { n: ids.length })}</Text>
          <RunButton task="reprocess" request={{ messages: ids }} label={t('action.reprocess')} />
          <RunButton task="split" request={{ messages: ids }} label={t('action.split')} />
          <RunButton task="rollup" request={{ messages: ids }} label={t('action.rollup')} />
        </Group>
      )}
      {ids.length === 0 && <MatchingRuns search={search} />}
      <Loaded query={messages}>
        {({ items, next }) => (
          <>
            <DataTable
              label={t('nav.messages')}
              columns={columns}
              rows={items}
              rowId={(row) => row.id}
              selection={{ chosen, onChange: setChosen }}
              empty={t('common.noMatch')}
              sorting={{
                by: ['id', 'received'],
                isDescending: search.order !== 'oldest',
                onTurn: () =>
                  void navigate({
                    search: (before) => ({ ...before, cursor: undefined, order: search.order === 'oldest' ? undefined : 'oldest' }),
                  }),
              }}
            />
            <Pager
              cursor={search.cursor}
              next={next}
              onGo={(cursor) => void navigate({ search: (before) => ({ ...before, cursor }) })}
              size={{
                limit: search.limit,
                onChange: (limit) => void navigate({ search: (before) => ({ ...before, cursor: undefined, limit }) }),
              }}
            />
          </>
        )}
      </Loaded>
    </Stack>
  )
}

/** Runs for all that match the filters; how many these are is said before anything is done. */
function MatchingRuns({ search }: { search: ListQuery }): ReactNode {
  const { t } = useLanguage()
  const { integration, from, status, source, to, externalId, text } = search
  if (externalId !== undefined && integration === undefined) return <Text>{t('messages.matchingNeedsIntegration')}</Text>
  if (text !== undefined && from === undefined) return null
  const request = given({ integration, from, source, to, externalId, text, status: statuses.find((each) => String(each) === status) })
  return (
    <Group>
      <RunButton task="reprocess" request={request} label={t('action.reprocessMatching')} />
      <RunButton task="split" request={request} label={t('action.splitMatching')} />
      <RunButton task="rollup" request={request} label={t('action.rollupMatching')} />
    </Group>
  )
}

function useFilters() {
  const { t } = useLanguage()
  return [
    useIntegrationFilter(),
    {
      name: 'status',
      label: t('field.status'),
      choices: statuses.map((status) => ({ value: String(status), label: `${status} · ${t(`message.status.${status}`)}` })),
    },
    { name: 'source', label: t('field.source') },
    { name: 'from', label: t('field.from'), kind: 'moment' as const },
    { name: 'to', label: t('field.to'), kind: 'moment' as const },
    { name: 'externalId', label: t('field.externalId') },
    { name: 'text', label: t('field.text') },
    {
      name: 'order',
      label: t('messages.order'),
      choices: [{ value: 'oldest', label: t('messages.oldest') }],
      otherwise: t('messages.newest'),
    },
  ]
}

function useColumns(): Column<Message>[] {
  const { t, format } = useLanguage()
  return useMemo(
    () => [
      { id: 'id', header: t('field.message'), cell: ({ id }) => <MessageLink id={id} /> },
      { id: 'status', header: t('field.status'), cell: ({ status }) => <StatusBadge of="message" status={status} /> },
      { id: 'integration', header: t('field.integration'), cell: ({ integration }) => integration },
      { id: 'source', header: t('field.source'), cell: ({ source }) => <Plain text={source} /> },
      { id: 'received', header: t('field.received'), cell: ({ receivedAt }) => <Time at={receivedAt} /> },
      { id: 'objects', header: t('field.objects'), isNumber: true, cell: ({ total }) => (total === null ? '–' : format.number(total)) },
      { id: 'progress', header: t('field.progress'), cell: ({ counts, total }) => <OutcomeBar counts={counts} total={total} /> },
      {
        id: 'took',
        header: t('field.took'),
        isNumber: true,
        cell: ({ receivedAt, finishedAt }) =>
          finishedAt === null ? '–' : format.duration((new Date(finishedAt).getTime() - new Date(receivedAt).getTime()) / 1000),
      },
    ],
    [t, format],
  )
}
