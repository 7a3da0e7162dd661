/** What needs a person now, each with the way to it; or that nothing does. */
import { Alert, Card, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { ErrorGroup, Overview } from '../../src/http/contract/index.ts'
import { errorsQuery, mostCounted } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Code } from './Code.tsx'
import { MessageLink, TextLink } from './Links.tsx'
import { Plain } from './Plain.tsx'

const mostGroups = 6

export function Attention({ overview }: { overview: Overview }): ReactNode {
  const { t, format } = useLanguage()
  const errors = useQuery(errorsQuery({}))
  const groups = [...(errors.data?.items ?? [])].sort((a, b) => b.count - a.count).slice(0, mostGroups)
  const { messages, stuck, integrations } = overview
  const paused = integrations.filter(({ isPaused }) => isPaused)
  const isQuiet =
    errors.data !== undefined &&
    [groups, stuck, paused].every((list) => list.length === 0) &&
    messages.incorrect + messages.splitFailed === 0
  if (isQuiet) {
    return (
      <Alert color="green" variant="outline" role="status">
        {t('overview.quiet')}
      </Alert>
    )
  }
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
      {paused.map(({ name }) => (
        <Need key={name} title={t('overview.paused')}>
          <TextLink to="/integrations/$name" params={{ name }}>
            {name}
          </TextLink>
        </Need>
      ))}
      {groups.map((group) => (
        <FailureNeed key={`${group.integration} ${group.fingerprint}`} group={group} />
      ))}
      {messages.incorrect > 0 && (
        <Need title={t('overview.incorrect', { n: messages.incorrect })}>
          <TextLink to="/messages" search={{ status: '-1' }}>
            {t('overview.show')}
          </TextLink>
        </Need>
      )}
      {messages.splitFailed > 0 && (
        <Need title={t('overview.splitFailed', { n: messages.splitFailed })}>
          <TextLink to="/messages" search={{ status: '-2' }}>
            {t('overview.show')}
          </TextLink>
        </Need>
      )}
      {stuck.length > 0 && (
        <Need title={t('overview.stuck', { n: stuck.length })}>
          {[...new Set(stuck.map(({ message }) => message))].map((id) => (
            <span key={id}>
              <MessageLink id={id} />{' '}
            </span>
          ))}
          <Text size="sm">{t('overview.stuckSince', { attempts: format.number(Math.max(...stuck.map(({ attempts }) => attempts))) })}</Text>
          {[...new Set(stuck.map(({ error }) => reasonOf(error)))].map((reason) => (
            <Plain key={reason} text={reason} limit={160} />
          ))}
        </Need>
      )}
    </SimpleGrid>
  )
}

/** Of a chunk that went back; a silent worker leaves none. */
function reasonOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : ''
  return typeof message === 'string' ? message : ''
}

function FailureNeed({ group: { integration, code, count, example } }: { group: ErrorGroup }): ReactNode {
  const { t } = useLanguage()
  return (
    <Need title={`${count < mostCounted ? '' : '≥ '}${t('overview.failedInstances', { n: count })}`}>
      <div>
        {integration} · <Code code={code} />
        <br />
        <Plain text={example.message} limit={160} />
      </div>
      <TextLink to="/errors" search={{ integration, errorCode: code }}>
        {t('overview.show')}
      </TextLink>
    </Need>
  )
}

function Need({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <Card withBorder component="article" aria-label={title} className="need">
      <Stack gap={4}>
        <Text fw={700}>{title}</Text>
        <Text component="div" size="sm">
          {children}
        </Text>
      </Stack>
    </Card>
  )
}
