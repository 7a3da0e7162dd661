/** The tasks: when they run by the clock, a run by a click, and every run there was. */
import { SimpleGrid, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { tasksQuery } from '../api/queries.ts'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { Section } from '../components/Section.tsx'
import { TaskCard } from '../components/TaskCard.tsx'
import { TaskRuns } from '../components/TaskRuns.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function TasksPage(): ReactNode {
  const { t } = useLanguage()
  const tasks = useQuery(tasksQuery)
  return (
    <Stack>
      <PageTitle>{t('nav.tasks')}</PageTitle>
      <Loaded query={tasks}>
        {({ items }) => (
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {items.map((task) => (
              <TaskCard key={task.task} task={task} />
            ))}
          </SimpleGrid>
        )}
      </Loaded>
      <Section title={t('tasks.history')}>
        <TaskRuns />
      </Section>
    </Stack>
  )
}
