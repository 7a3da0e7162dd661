/** One object over all messages: why its record looks as it does. */
import { Card, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { InstanceItem, ObjectHistory } from '../../src/http/contract/index.ts'
import { ApiError } from '../api/http.ts'
import { integrationQuery, objectQuery } from '../api/queries.ts'
import { Changes } from '../components/Changes.tsx'
import { DeferredLinks } from '../components/DeferredLinks.tsx'
import { Facts } from '../components/Facts.tsx'
import { FilterBar } from '../components/FilterBar.tsx'
import { InstanceFailure } from '../components/InstanceFailure.tsx'
import { InstanceLink, MessageLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { Pager } from '../components/Pager.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { Section } from '../components/Section.tsx'
import { SentBy } from '../components/SentBy.tsx'
import { StatusBadge } from '../components/StatusBadge.tsx'
import { TargetNow } from '../components/TargetNow.tsx'
import { Time } from '../components/Time.tsx'
import { useIntegrationFilter } from '../components/use-integration-filter.ts'
import { useLanguage } from '../i18n/language.tsx'

export function ObjectPage(): ReactNode {
  const { t } = useLanguage()
  const search = useSearch({ from: '/objects' })
  const navigate = useNavigate({ from: '/objects' })
  const byIntegration = useIntegrationFilter()
  const { choices = [] } = byIntegration
  const integration = search.integration ?? (choices.length === 1 ? choices[0]?.value : undefined)
  return (
    <Stack>
      <PageTitle>{t('objects.title')}</PageTitle>
      <FilterBar
        filters={[byIntegration, { name: 'externalId', label: t('field.externalId') }]}
        values={{ integration, externalId: search.externalId }}
        onApply={(values) => void navigate({ search: values })}
      />
      {integration !== undefined && search.externalId !== undefined ? (
        <History integration={integration} externalId={search.externalId} />
      ) : (
        <Text>{t('objects.hint')}</Text>
      )}
    </Stack>
  )
}

function History({ integration, externalId }: { integration: string; externalId: string }): ReactNode {
  const { t } = useLanguage()
  const { cursor } = useSearch({ from: '/objects' })
  const navigate = useNavigate({ from: '/objects' })
  const history = useQuery(objectQuery(integration, externalId, cursor))
  if (history.error instanceof ApiError && history.error.status === 404) return <Text role="status">{t('objects.unknown')}</Text>
  return (
    <Loaded query={history}>
      {({ ledger, deferredLinks, items, next }) => (
        <Stack gap="lg">
          <Section title={t('objects.now')}>
            {ledger === null ? t('objects.neverApplied') : <LedgerFacts integration={integration} ledger={ledger} />}
          </Section>
          <Section title={t('objects.target')} anchor="target">
            <TargetNow integration={integration} externalId={externalId} />
          </Section>
          {deferredLinks.length > 0 && (
            <Section title={t('objects.deferredLinks')}>
              <DeferredLinks links={deferredLinks} />
            </Section>
          )}
          <Section title={t('objects.history')}>
            {items.map((item) => (
              <Step key={item.id} item={item} />
            ))}
            <Pager cursor={cursor} next={next} onGo={(to) => void navigate({ search: (before) => ({ ...before, cursor: to }) })} />
          </Section>
        </Stack>
      )}
    </Loaded>
  )
}

function LedgerFacts({ integration, ledger }: { integration: string; ledger: NonNullable<ObjectHistory['ledger']> }): ReactNode {
  const { t } = useLanguage()
  const { version, appliedBy, fields, targetRef, deleted, firstMessage, updatedAt } = ledger
  return (
    <Facts
      items={[
        [t('field.version'), version === null ? undefined : <Version key="version" integration={integration} version={version} />],
        [t('objects.appliedBy'), appliedBy === null ? undefined : <InstanceLink key="by" id={appliedBy} />],
        [t('objects.targetRef'), targetRef === null ? undefined : <Plain key="ref" text={targetRef} />],
        [t('objects.deleted'), t(deleted ? 'common.yes' : 'common.no')],
        [t('objects.firstMessage'), firstMessage === null ? undefined : <MessageLink key="first" id={firstMessage} />],
        [t('objects.updatedAt'), <Time key="at" at={updatedAt} />],
        [t('objects.olderFields'), fields === null ? undefined : <Plain key="fields" text={JSON.stringify(fields)} mono />],
      ]}
    />
  )
}

/** The ledger keeps a timestamp as seconds since 1970, with every digit of their fraction. */
function Version({ integration, version }: { integration: string; version: string }): ReactNode {
  const { format } = useLanguage()
  const { data } = useQuery({ ...integrationQuery(integration), refetchInterval: false })
  const moment = new Date(Number(version) * 1000)
  if (data?.version?.type !== 'timestamp' || Number.isNaN(moment.getTime())) return <Plain text={version} />
  return (
    <>
      {format.time(moment.toISOString())} (<Plain text={version} />)
    </>
  )
}

function Step({ item }: { item: InstanceItem }): ReactNode {
  const { t } = useLanguage()
  const { id, message, status, outcome, changes, error, finishedAt } = item
  return (
    <Card withBorder component="article" aria-label={t('instancePage.title', { id })}>
      <Stack gap="xs">
        <Text component="div">
          <Time at={finishedAt} /> · <InstanceLink id={id} /> · <StatusBadge of="instance" status={status} />
          {outcome !== null && <strong> {t(`outcome.${outcome}`)}</strong>} · <SentBy message={message} />
        </Text>
        {error !== null && <InstanceFailure error={error} />}
        {changes !== null && Object.keys(changes).length > 0 && <Changes changes={changes} />}
      </Stack>
    </Card>
  )
}
