/** One message: how it went, what is wrong with it, what became of its objects, and what can be done. */
import { Button, Group, SimpleGrid, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Message } from '../../src/http/contract/index.ts'
import { messageQuery } from '../api/queries.ts'
import { Facts } from '../components/Facts.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { MessageBody } from '../components/MessageBody.tsx'
import { MessageInstances } from '../components/MessageInstances.tsx'
import { MessageProblem } from '../components/MessageProblem.tsx'
import { OutcomeBar, shownCounts } from '../components/OutcomeBar.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { PrunedNote } from '../components/PrunedNote.tsx'
import { RunButton } from '../components/RunButton.tsx'
import { Section } from '../components/Section.tsx'
import { StatusBadge } from '../components/StatusBadge.tsx'
import { Timeline } from '../components/Timeline.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function MessagePage(): ReactNode {
  const { t } = useLanguage()
  const { id } = useParams({ from: '/messages/$id' })
  const message = useQuery(messageQuery(id))
  return (
    <Stack>
      <PageTitle under="messages">{t('messagePage.title', { id })}</PageTitle>
      <Loaded query={message}>{(data) => <MessageView message={data} />}</Loaded>
    </Stack>
  )
}

function MessageView({ message }: { message: Message }): ReactNode {
  const { t } = useLanguage()
  const { id, status, counts, problem } = message
  const isPruned = message.instancesPrunedAt !== null
  const messages = [id]
  return (
    <Stack gap="lg">
      <Group>
        <StatusBadge of="message" status={status} />
        <RunButton task="reprocess" request={{ messages }} label={t('action.reprocess')} isDisabled={counts.failed === 0 || isPruned} />
        <RunButton
          task="reprocess"
          request={{ messages, replay: true }}
          label={t('action.replayAll')}
          isDisabled={counts.processed === 0 || isPruned}
        />
        <RunButton task="split" request={{ messages }} label={t('action.split')} isDisabled={status !== -2 && status !== 1} />
        <RunButton task="rollup" request={{ messages }} label={t('action.rollup')} isDisabled={![2, 3, -3].includes(status)} />
      </Group>
      {problem !== null && (
        <Section title={t('messagePage.problem')}>
          <MessageProblem id={id} problem={problem} />
        </Section>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Section title={t('messagePage.timeline')}>
          <Timeline message={message} />
        </Section>
        <MessageFacts message={message} />
      </SimpleGrid>
      <MessageCounts message={message} />
      <Section title={t('messagePage.instances')}>
        <PrunedNote text={t('messagePage.historyPruned')} at={message.historyPrunedAt} />
        <PrunedNote text={t('messagePage.instancesPruned')} at={message.instancesPrunedAt} />
        {message.instancesPrunedAt === null && <MessageInstances id={id} />}
      </Section>
      <BodySection message={message} />
    </Stack>
  )
}

function MessageFacts({ message }: { message: Message }): ReactNode {
  const { t, format } = useLanguage()
  const { integration, source, bodySize, bodySha256, format: bodyFormat, idempotencyKey, isDraft } = message
  return (
    <Section title={t('messagePage.facts')}>
      <Facts
        items={[
          [t('field.integration'), integration],
          [t('field.source'), <Plain key="source" text={source} />],
          [t('field.format'), bodyFormat],
          [t('field.size'), format.bytes(bodySize)],
          [t('field.sha256'), <Plain key="hash" text={bodySha256} mono />],
          [t('field.idempotencyKey'), idempotencyKey === null ? undefined : <Plain key="key" text={idempotencyKey} mono />],
          [t('field.draft'), t(isDraft ? 'common.yes' : 'common.no')],
        ]}
      />
    </Section>
  )
}

function MessageCounts({ message: { counts, total } }: { message: Message }): ReactNode {
  const { t, format } = useLanguage()
  return (
    <Section title={t('messagePage.counts')}>
      <OutcomeBar counts={counts} total={total} />
      <Facts
        items={[
          [t('field.objects'), total === null ? '–' : format.number(total)],
          ...shownCounts.map((name) => [t(`outcome.${name}`), counts[name] === 0 ? undefined : format.number(counts[name])] as const),
        ]}
      />
    </Section>
  )
}

function BodySection({ message }: { message: Message }): ReactNode {
  const { t } = useLanguage()
  const { body, place, part } = useSearch({ from: '/messages/$id' })
  const navigate = useNavigate({ from: '/messages/$id' })
  return (
    <Section title={t('messagePage.body')}>
      <PrunedNote text={t('messagePage.bodyPruned')} at={message.bodyPrunedAt} />
      {message.bodyPrunedAt !== null ? null : body === undefined ? (
        <Group>
          <Button
            variant="default"
            onClick={() => void navigate({ search: (before) => ({ ...before, body: 'shown' }), resetScroll: false })}
          >
            {t('messagePage.showBody')}
          </Button>
        </Group>
      ) : (
        <MessageBody
          message={message}
          place={place}
          part={Math.max(0, Number.parseInt(part ?? '0', 10) || 0)}
          onPart={(next) => void navigate({ search: (before) => ({ ...before, part: String(next) }), resetScroll: false })}
        />
      )}
    </Section>
  )
}
