/** The integrations of this server. */
import { Badge, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo } from 'react'
import type { IntegrationView } from '../../src/http/contract/index.ts'
import { integrationsQuery } from '../api/queries.ts'
import { type Column, DataTable } from '../components/DataTable.tsx'
import { TextLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function IntegrationsPage(): ReactNode {
  const { t } = useLanguage()
  const integrations = useQuery(integrationsQuery)
  const columns = useMemo(
    (): Column<IntegrationView>[] => [
      {
        id: 'name',
        header: t('field.name'),
        cell: ({ name }) => (
          <TextLink to="/integrations/$name" params={{ name }}>
            {name}
          </TextLink>
        ),
      },
      { id: 'key', header: t('field.externalId'), cell: ({ key }) => <code>{key}</code> },
      {
        id: 'version',
        header: t('field.version'),
        cell: ({ version }) => (version === null ? t('integration.byArrival') : <code>{version.field}</code>),
      },
      { id: 'target', header: t('integration.target'), cell: ({ target }) => <code>{target.kind}</code> },
      {
        id: 'state',
        header: t('field.state'),
        cell: ({ paused }) =>
          paused === null ? (
            t('integration.running')
          ) : (
            <Badge color="red" variant="outline" tt="none">
              {t('integration.paused')}
            </Badge>
          ),
      },
    ],
    [t],
  )
  return (
    <Stack>
      <PageTitle>{t('nav.integrations')}</PageTitle>
      <Loaded query={integrations}>
        {({ items }) => <DataTable label={t('nav.integrations')} columns={columns} rows={items} rowId={(row) => row.name} />}
      </Loaded>
    </Stack>
  )
}
