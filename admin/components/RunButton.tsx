/** A click that starts a task: says first what it will do to how many, then leads to the recorded run. */
import { Alert, Button, Group, Loader, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { RunPreview, RunRequest, TaskView } from '../../src/http/contract/index.ts'
import { still } from '../api/client.ts'
import { call } from '../api/http.ts'
import { mostCounted, sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Dialog } from './Dialog.tsx'
import { Failure } from './Failure.tsx'
import { TextLink } from './Links.tsx'

interface RunButtonProps {
  task: TaskView['task']
  request: RunRequest
  label: string
  /** Default: shown, and can be pressed. */
  isDisabled?: boolean
}

export function RunButton({ task, request, label, isDisabled = false }: RunButtonProps): ReactNode {
  const { t, format } = useLanguage()
  const client = useQueryClient()
  const session = useQuery(sessionQuery)
  const [isOpen, dialog] = useDisclosure(false)
  const preview = useQuery({
    queryKey: ['preview', task, request],
    queryFn: async ({ signal }) =>
      (await call(`tasks/${task}/preview`, { method: 'POST', json: request, signal })).json() as Promise<RunPreview>,
    enabled: isOpen,
    ...still,
    staleTime: 0,
    gcTime: 0,
  })
  const run = useMutation({
    mutationFn: async () => (await call(`tasks/${task}/runs`, { method: 'POST', json: request })).json() as Promise<{ id: string }>,
    onSuccess: () => client.invalidateQueries(),
  })
  const open = (): void => {
    run.reset()
    dialog.open()
  }
  const role = session.data?.role
  if (role !== 'operator' && role !== 'admin') return null
  const words = task === 'reprocess' && request.replay === true ? 'confirm.replay' : (`confirm.${task}` as const)
  return (
    <>
      <Button variant="default" onClick={open} disabled={isDisabled}>
        {label}
      </Button>
      <Dialog title={label} isOpen={isOpen} onClose={dialog.close}>
        {run.data === undefined && preview.isFetching && <Loader role="status" aria-label={t('common.loading')} />}
        {preview.error !== null && <Failure error={preview.error} />}
        {run.data === undefined && preview.data !== undefined && !preview.isFetching && (
          <Text>
            {preview.data.count >= mostCounted && '≥ '}
            {preview.data.count === 0 && task !== 'process' ? t('action.nothing') : t(words, { n: preview.data.count })}{' '}
            {t('confirm.recorded')}
          </Text>
        )}
        {run.error !== null && <Failure error={run.error} />}
        {run.data !== undefined && (
          <Alert color="green" variant="outline" role="status">
            {t('action.started', { id: format.number(Number(run.data.id)) })}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={dialog.close}>
            {t(run.data === undefined ? 'common.cancel' : 'common.close')}
          </Button>
          {run.data === undefined ? (
            <Button
              onClick={() => run.mutate()}
              loading={run.isPending}
              disabled={preview.data === undefined || (preview.data.count === 0 && task !== 'process')}
            >
              {t('confirm.do')}
            </Button>
          ) : (
            <TextLink to="/tasks/$id" params={{ id: run.data.id }} onClick={dialog.close}>
              {t('action.toRun')}
            </TextLink>
          )}
        </Group>
      </Dialog>
    </>
  )
}
