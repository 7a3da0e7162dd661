/** One run of a task: who started it, with what, and what it did so far. */
import { Loader, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { taskRunQuery } from '../api/queries.ts'
import { Facts } from '../components/Facts.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Plain } from '../components/Plain.tsx'
import { Time } from '../components/Time.tsx'
import { Values } from '../components/Values.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function TaskRunPage(): ReactNode {
  const { t } = useLanguage()
  const { id } = useParams({ from: '/tasks/$id' })
  const run = useQuery(taskRunQuery(id))
  return (
    <Stack>
      <PageTitle under="tasks">{t('run.title', { id })}</PageTitle>
      <Loaded query={run}>
        {(data) => (
          <>
            {data.finishedAt === null && <Loader type="dots" role="status" aria-label={t('common.loading')} />}
            <Facts
              items={[
                [t('field.task'), t(`run.task.${data.task}`)],
                [t('field.state'), t(`run.state.${data.state}`)],
                [t('field.startedBy'), t(`run.by.${data.startedBy}`)],
                [t('field.actor'), data.actor === null ? undefined : <Plain key="actor" text={data.actor} />],
                [t('field.parameters'), <Values key="parameters" values={data.parameters} empty={t('run.everything')} />],
                [t('field.started'), <Time key="started" at={data.startedAt} />],
                [t('field.finished'), <Time key="finished" at={data.finishedAt} />],
                [
                  t('field.result'),
                  data.result === null ? undefined : <Values key="result" values={data.result} empty={t('run.didNothing')} />,
                ],
                [t('field.error'), data.error === null ? undefined : <Values key="error" values={data.error} empty="–" />],
              ]}
            />
          </>
        )}
      </Loaded>
    </Stack>
  )
}
