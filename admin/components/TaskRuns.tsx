/** Runs of tasks, newest first. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { TaskRun } from '../../src/http/contract/index.ts'
import { taskRunsQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { type Column, DataTable } from './DataTable.tsx'
import { FilterBar } from './FilterBar.tsx'
import { TextLink } from './Links.tsx'
import { Loaded } from './Loaded.tsx'
import { Pager } from './Pager.tsx'
import { Plain } from './Plain.tsx'
import { Time } from './Time.tsx'
import { Values } from './Values.tsx'

const tasks = ['split', 'process', 'reprocess', 'rollup', 'prune'] as const
const states = ['queued', 'running', 'finished', 'failed'] as const

export function TaskRuns(): ReactNode {
  const { t } = useLanguage()
  const search = useSearch({ from: '/tasks' })
  const navigate = useNavigate({ from: '/tasks' })
  const runs = useQuery(taskRunsQuery(search))
  const columns = useColumns()
  return (
    <Stack gap="xs">
      <FilterBar
        filters={[
          { name: 'task', label: t('field.task'), choices: tasks.map((value) => ({ value, label: t(`run.task.${value}`) })) },
          { name: 'state', label: t('field.state'), choices: states.map((value) => ({ value, label: t(`run.state.${value}`) })) },
        ]}
        values={search}
        onApply={(values) => void navigate({ search: values, resetScroll: false })}
      />
      <Loaded query={runs}>
        {({ items, next }) => (
          <>
            <DataTable label={t('tasks.history')} columns={columns} rows={items} rowId={(row) => row.id} />
            <Pager
              cursor={search.cursor}
              next={next}
              onGo={(cursor) => void navigate({ search: { ...search, cursor }, resetScroll: false })}
            />
          </>
        )}
      </Loaded>
    </Stack>
  )
}

function useColumns(): Column<TaskRun>[] {
  const { t } = useLanguage()
  return useMemo(
    () => [
      {
        id: 'id',
        header: t('field.run'),
        cell: ({ id }) => (
          <TextLink to="/tasks/$id" params={{ id }}>
            {id}
          </TextLink>
        ),
      },
      { id: 'task', header: t('field.task'), cell: ({ task }) => t(`run.task.${task}`) },
      { id: 'state', header: t('field.state'), cell: ({ state }) => t(`run.state.${state}`) },
      {
        id: 'by',
        header: t('field.startedBy'),
        cell: ({ startedBy, actor }) => (
          <>
            {t(`run.by.${startedBy}`)}
            {startedBy === 'click' && actor !== null && (
              <>
                {' · '}
                <Plain text={actor} />
              </>
            )}
          </>
        ),
      },
      {
        id: 'parameters',
        header: t('field.parameters'),
        cell: ({ parameters }) => <Values values={parameters} empty={t('run.everything')} />,
      },
      {
        id: 'result',
        header: t('field.result'),
        cell: ({ result, error }) => <Values values={error ?? result} empty={t('run.didNothing')} />,
      },
      { id: 'created', header: t('field.started'), cell: ({ startedAt, createdAt }) => <Time at={startedAt ?? createdAt} /> },
    ],
    [t],
  )
}
