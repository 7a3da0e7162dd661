/** The instances of one message, with filters. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { messageInstancesQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { FilterBar } from './FilterBar.tsx'
import { InstanceTable } from './InstanceTable.tsx'
import { Loaded } from './Loaded.tsx'
import { outcomes } from './OutcomeBar.tsx'
import { Pager } from './Pager.tsx'

const statuses = [0, 1, 2, -2] as const

export function MessageInstances({ id }: { id: string }): ReactNode {
  const { t } = useLanguage()
  const { status, outcome, errorCode, cursor, limit } = useSearch({ from: '/messages/$id' })
  const navigate = useNavigate({ from: '/messages/$id' })
  const instances = useQuery(messageInstancesQuery(id, { status, outcome, errorCode, cursor, limit }))
  return (
    <Stack gap="xs">
      <FilterBar
        filters={[
          {
            name: 'status',
            label: t('field.status'),
            choices: statuses.map((value) => ({ value: String(value), label: `${value} · ${t(`instance.status.${value}`)}` })),
          },
          { name: 'outcome', label: t('field.outcome'), choices: outcomes.map((value) => ({ value, label: t(`outcome.${value}`) })) },
          { name: 'errorCode', label: t('field.errorCode') },
        ]}
        values={{ status, outcome, errorCode }}
        onApply={(values) =>
          void navigate({
            search: (before) => ({ ...before, status: undefined, outcome: undefined, errorCode: undefined, ...values, cursor: undefined }),
            resetScroll: false,
          })
        }
      />
      <Loaded query={instances}>
        {({ items, next }) => (
          <>
            <InstanceTable rows={items} empty={t('common.noMatch')} />
            <Pager
              cursor={cursor}
              next={next}
              onGo={(to) => void navigate({ search: (before) => ({ ...before, cursor: to }), resetScroll: false })}
              size={{
                limit,
                onChange: (rows) =>
                  void navigate({ search: (before) => ({ ...before, cursor: undefined, limit: rows }), resetScroll: false }),
              }}
            />
          </>
        )}
      </Loaded>
    </Stack>
  )
}
