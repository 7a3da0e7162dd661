/** Instances of all messages, newest first. */
import { Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { instancesQuery } from '../api/queries.ts'
import type { Selection } from '../components/DataTable.tsx'
import { FilterBar } from '../components/FilterBar.tsx'
import { InstanceTable } from '../components/InstanceTable.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { Pager } from '../components/Pager.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { RunButton } from '../components/RunButton.tsx'
import { useIntegrationFilter } from '../components/use-integration-filter.ts'
import { useLanguage } from '../i18n/language.tsx'
import { given } from '../search.ts'

export function InstancesPage(): ReactNode {
  const { t } = useLanguage()
  const search = useSearch({ from: '/instances' })
  const navigate = useNavigate({ from: '/instances' })
  const isIncomplete = search.externalId !== undefined && search.integration === undefined
  const instances = useQuery({ ...instancesQuery(search), enabled: !isIncomplete })
  const [chosen, setChosen] = useState<Selection['chosen']>({})
  const ids = Object.keys(chosen)
  const { integration, errorCode, externalId, fingerprint } = search
  return (
    <Stack>
      <PageTitle>{t('nav.instances')}</PageTitle>
      <FilterBar
        filters={[
          useIntegrationFilter(),
          { name: 'externalId', label: t('field.externalId') },
          { name: 'failed', label: t('field.status'), choices: [{ value: 'true', label: `-2 · ${t('instance.status.-2')}` }] },
          { name: 'errorCode', label: t('field.errorCode') },
          { name: 'fingerprint', label: t('field.fingerprint') },
        ]}
        values={search}
        onApply={(values) => {
          setChosen({})
          void navigate({ search: { ...values, limit: search.limit } })
        }}
      />
      {isIncomplete ? (
        <Text role="status">{t('instances.needIntegration')}</Text>
      ) : (
        <>
          <Group>
            {ids.length > 0 && <Text>{t('instances.selected', { n: ids.length })}</Text>}
            {ids.length > 0 && <RunButton task="reprocess" request={{ instances: ids }} label={t('action.reprocess')} />}
            {ids.length > 0 && <RunButton task="reprocess" request={{ instances: ids, replay: true }} label={t('action.replay')} />}
            {ids.length === 0 && (
              <RunButton
                task="reprocess"
                request={given({ integration, errorCode, externalId, fingerprint })}
                label={t('action.reprocessMatching')}
              />
            )}
          </Group>
          <Loaded query={instances}>
            {({ items, next }) => (
              <>
                <InstanceTable rows={items} isMixed selection={{ chosen, onChange: setChosen }} empty={t('common.noMatch')} />
                <Pager
                  cursor={search.cursor}
                  next={next}
                  onGo={(cursor) => void navigate({ search: { ...search, cursor } })}
                  size={{
                    limit: search.limit,
                    onChange: (limit) => void navigate({ search: { ...search, cursor: undefined, limit } }),
                  }}
                />
              </>
            )}
          </Loaded>
        </>
      )}
    </Stack>
  )
}
