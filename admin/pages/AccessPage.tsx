/** Tokens: who has one, for what, when it was last used; a new one, and the end of one. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { TokenView } from '../../src/http/contract/index.ts'
import { tokensQuery } from '../api/queries.ts'
import { type Column, DataTable } from '../components/DataTable.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { NewToken } from '../components/NewToken.tsx'
import { Pager } from '../components/Pager.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { RevokeToken } from '../components/RevokeToken.tsx'
import { Section } from '../components/Section.tsx'
import { Time } from '../components/Time.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function AccessPage(): ReactNode {
  const { t } = useLanguage()
  const { cursor } = useSearch({ from: '/access' })
  const navigate = useNavigate({ from: '/access' })
  const tokens = useQuery(tokensQuery({ cursor }))
  const columns = useColumns()
  return (
    <Stack>
      <PageTitle>{t('nav.access')}</PageTitle>
      <Section title={t('access.new')}>
        <NewToken />
      </Section>
      <Section title={t('access.tokens')}>
        <Loaded query={tokens}>
          {({ items, next }) => (
            <>
              <DataTable label={t('access.tokens')} columns={columns} rows={items} rowId={(row) => row.id} empty={t('access.none')} />
              <Pager cursor={cursor} next={next} onGo={(to) => void navigate({ search: { cursor: to } })} />
            </>
          )}
        </Loaded>
      </Section>
    </Stack>
  )
}

function useColumns(): Column<TokenView>[] {
  const { t } = useLanguage()
  return useMemo(
    () => [
      { id: 'name', header: t('field.name'), cell: ({ name }) => <Plain text={name} /> },
      { id: 'role', header: t('field.role'), cell: ({ role }) => t(`role.${role}`) },
      { id: 'integrations', header: t('nav.integrations'), cell: ({ integrations }) => integrations?.join(', ') ?? t('common.all') },
      { id: 'created', header: t('access.created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
      { id: 'used', header: t('access.lastUsed'), cell: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
      {
        id: 'actions',
        header: t('common.actions'),
        cell: (token) =>
          token.revokedAt === null ? (
            <RevokeToken token={token} />
          ) : (
            <>
              {t('access.revoked')} <Time at={token.revokedAt} />
            </>
          ),
      },
    ],
    [t],
  )
}
