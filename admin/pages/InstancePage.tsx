/** One instance: the object, what it changed, why it failed, and every attempt. */
import { Group, Stack, Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { type InstanceWithText, instanceQuery, sessionQuery } from '../api/queries.ts'
import { Attempts } from '../components/Attempts.tsx'
import { Changes } from '../components/Changes.tsx'
import { Facts } from '../components/Facts.tsx'
import { InstanceFailure } from '../components/InstanceFailure.tsx'
import { JsonLines } from '../components/JsonLines.tsx'
import { Linked } from '../components/Linked.tsx'
import { MessageLink, ObjectLink, TextLink } from '../components/Links.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { RunButton } from '../components/RunButton.tsx'
import { Section } from '../components/Section.tsx'
import { StatusBadge } from '../components/StatusBadge.tsx'
import { Time } from '../components/Time.tsx'
import { detailIn } from '../i18n/detail.ts'
import { useLanguage } from '../i18n/language.tsx'

export function InstancePage(): ReactNode {
  const { t } = useLanguage()
  const { id } = useParams({ from: '/instances/$id' })
  const instance = useQuery(instanceQuery(id))
  return (
    <Stack>
      <PageTitle under="instances">{t('instancePage.title', { id })}</PageTitle>
      <Loaded query={instance}>{(data) => <InstanceView instance={data} />}</Loaded>
    </Stack>
  )
}

function InstanceView({ instance }: { instance: InstanceWithText }): ReactNode {
  const { t } = useLanguage()
  const { id, status, outcome, changes, error, waitsFor, history, dataText } = instance
  const instances = [id]
  return (
    <Stack gap="lg">
      <Group>
        <StatusBadge of="instance" status={status} />
        <RunButton task="reprocess" request={{ instances }} label={t('action.reprocessOne')} isDisabled={status !== -2} />
        <RunButton task="reprocess" request={{ instances, replay: true }} label={t('action.replayOne')} isDisabled={status !== 2} />
      </Group>
      {error !== null && (
        <Section title={t('instancePage.error')}>
          <InstanceFailure error={error} />
        </Section>
      )}
      {waitsFor.length > 0 && <WaitsFor instance={instance} />}
      <Section title={t('instancePage.facts')}>
        <InstanceFacts instance={instance} />
      </Section>
      {status === 2 && (
        <Section title={t('instancePage.changes')}>
          {changes === null || Object.keys(changes).length === 0 ? t(whyNoChanges(outcome)) : <Changes changes={changes} />}
        </Section>
      )}
      {history.length > 0 && (
        <Section title={t('instancePage.history')}>
          <Attempts attempts={history} />
        </Section>
      )}
      <Section title={t('instancePage.data')}>
        <JsonLines text={dataText} label={t('instancePage.data')} />
      </Section>
    </Stack>
  )
}

/** What to say where an instance tells no changes. */
function whyNoChanges(outcome: InstanceWithText['outcome']) {
  if (outcome === 'created') return 'instancePage.created'
  return outcome === 'updated' || outcome === 'deleted' ? 'instancePage.untold' : 'instancePage.noChanges'
}

function InstanceFacts({ instance }: { instance: InstanceWithText }): ReactNode {
  const { t } = useLanguage()
  const { message, integration, externalId, outcome, detail, attempts, generation, finishedAt } = instance
  return (
    <Facts
      items={[
        [t('field.message'), <MessageLink key="message" id={message} />],
        [t('field.integration'), integration],
        [t('field.object'), <ObjectLink key="object" integration={integration} externalId={externalId} />],
        [t('field.outcome'), outcome === null ? undefined : t(`outcome.${outcome}`)],
        [t('field.detail'), detail === null ? undefined : <Linked key="detail" text={detailIn(t, detail)} />],
        [
          t('field.target'),
          externalId === null ? undefined : <TargetLink key="target" integration={integration} externalId={externalId} />,
        ],
        [t('field.attempts'), attempts],
        [t('field.generation'), generation === 0 ? undefined : generation],
        [t('field.finished'), <Time key="finished" at={finishedAt} />],
      ]}
    />
  )
}

/** A sender sees its own messages, not what others made of an object. */
function TargetLink({ integration, externalId }: { integration: string; externalId: string }): ReactNode {
  const { t } = useLanguage()
  const { data } = useQuery(sessionQuery)
  if (data?.role === 'sender') return '–'
  return (
    <TextLink to="/objects" search={{ integration, externalId }} hash="target">
      {t('instancePage.target')}
    </TextLink>
  )
}

function WaitsFor({ instance: { waitsFor } }: { instance: InstanceWithText }): ReactNode {
  const { t, format } = useLanguage()
  return (
    <Section title={t('instancePage.waitsFor')}>
      <Table aria-label={t('instancePage.waitsFor')}>
        <Table.Tbody>
          {waitsFor.map(({ wanted, externalId, field, cameAt }) => (
            <Table.Tr key={`${wanted} ${externalId}`}>
              <Table.Th scope="row">{field}</Table.Th>
              <Table.Td>
                {wanted} {/* A table that nobody feeds has no history here. */}
                {wanted.startsWith('table:') ? <Plain text={externalId} /> : <ObjectLink integration={wanted} externalId={externalId} />}
              </Table.Td>
              <Table.Td>{cameAt === null ? t('instancePage.missing') : t('instancePage.came', { time: format.time(cameAt) })}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
