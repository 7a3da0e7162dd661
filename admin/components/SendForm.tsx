/** A message written here and sent as a sender would; a dry run tells what would become of it and keeps nothing. */
import { Alert, Button, Group, JsonInput, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { DryRun, Receipt } from '../../src/http/contract/index.ts'
import { ApiError, call } from '../api/http.ts'
import { sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { sampleOf } from '../json/sample.ts'
import { DryRunResults } from './DryRunResults.tsx'
import { Failure } from './Failure.tsx'
import { IssueList } from './IssueList.tsx'
import { TextLink } from './Links.tsx'

export function SendForm({ name, schema }: { name: string; schema: Record<string, unknown> | null }): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const session = useQuery(sessionQuery)
  const [text, setText] = useState(() => (schema === null ? '[]' : JSON.stringify([sampleOf(schema)], null, 2)))
  const path = `integrations/${encodeURIComponent(name)}/messages`
  const send = useMutation({
    mutationFn: async () => (await call(path, { method: 'POST', text })).json() as Promise<Receipt>,
    onSuccess: () => client.invalidateQueries(),
  })
  const dryRun = useMutation({
    mutationFn: async () => (await call(path, { method: 'POST', text, query: { dryRun: 'true' } })).json() as Promise<DryRun>,
  })
  const role = session.data?.role
  if (role !== 'operator' && role !== 'admin') return <Text size="sm">{t('send.forOperators')}</Text>
  const error = send.error ?? dryRun.error
  return (
    <Stack gap="xs">
      <JsonInput
        label={t('send.label')}
        value={text}
        onChange={setText}
        autosize
        minRows={4}
        maxRows={24}
        classNames={{ input: 'mono' }}
        spellCheck={false}
      />
      <Group>
        <Button
          onClick={() => {
            dryRun.reset()
            send.mutate()
          }}
          loading={send.isPending}
        >
          {t('send.send')}
        </Button>
        <Button
          variant="default"
          onClick={() => {
            send.reset()
            dryRun.mutate()
          }}
          loading={dryRun.isPending}
        >
          {t('send.dryRun')}
        </Button>
      </Group>
      {error !== null && <Failure error={error} />}
      {error instanceof ApiError && <IssueList issues={error.problem?.errors ?? []} />}
      {error instanceof ApiError && error.problem?.id !== undefined && <ToMessage id={error.problem.id} />}
      {send.data !== undefined && (
        <Alert color="green" variant="outline" role="status">
          {t('send.received')} <ToMessage id={send.data.id} />
        </Alert>
      )}
      {dryRun.data !== undefined && <DryRunResults result={dryRun.data} />}
    </Stack>
  )
}

function ToMessage({ id }: { id: string }): ReactNode {
  const { t } = useLanguage()
  return (
    <TextLink to="/messages/$id" params={{ id }}>
      {t('send.follow', { id })}
    </TextLink>
  )
}
