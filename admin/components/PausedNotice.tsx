/** An integration whose target doesn't fit: why, and going on. */
import { Alert, Button, Group, Stack } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { IntegrationView } from '../../src/http/contract/index.ts'
import { call } from '../api/http.ts'
import { sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Failure } from './Failure.tsx'
import { Plain } from './Plain.tsx'
import { Time } from './Time.tsx'

export function PausedNotice({ name, paused }: { name: string; paused: NonNullable<IntegrationView['paused']> }): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const session = useQuery(sessionQuery)
  const resume = useMutation({
    mutationFn: () => call(`integrations/${encodeURIComponent(name)}/resume`, { method: 'POST' }),
    onSuccess: () => client.invalidateQueries(),
  })
  const role = session.data?.role
  return (
    <Alert color="red" variant="outline" title={t('integration.paused')}>
      <Stack gap="xs">
        <Plain text={reasonOf(paused.reason)} />
        <Time at={paused.since} />
        {resume.error !== null && <Failure error={resume.error} />}
        {(role === 'operator' || role === 'admin') && (
          <Group>
            <Button variant="default" onClick={() => resume.mutate()} loading={resume.isPending}>
              {t('integration.resume')}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  )
}

function reasonOf(reason: unknown): string {
  const message = typeof reason === 'object' && reason !== null && 'message' in reason ? reason.message : reason
  return typeof message === 'string' ? message : JSON.stringify(reason)
}
