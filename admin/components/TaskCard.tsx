/** One task: what it does, when it runs, and a run with parameters of one's own. */
import { Card, Checkbox, Collapse, Group, NativeSelect, NumberInput, Stack, Text, TextInput, Title, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { type ReactNode, useState } from 'react'
import type { RunRequest, TaskView } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Facts } from './Facts.tsx'
import { TextLink } from './Links.tsx'
import { RunButton } from './RunButton.tsx'
import { Time } from './Time.tsx'
import { useIntegrationFilter } from './use-integration-filter.ts'

/** What a person filled in; empty says nothing. */
interface Draft {
  ids: string
  integration: string
  errorCode: string
  sinceDays: string | number
  draft: string
  asDraft: string
  replay: boolean
}

const nothing: Draft = { ids: '', integration: '', errorCode: '', sinceDays: '', draft: '', asDraft: '', replay: false }

export function TaskCard({ task: { task, cron, nextAt, lastRun } }: { task: TaskView }): ReactNode {
  const { t } = useLanguage()
  const [draft, setDraft] = useState(nothing)
  const [isOpen, parameters] = useDisclosure(false)
  return (
    <Card withBorder component="article" aria-label={t(`run.task.${task}`)}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          {t(`run.task.${task}`)}
        </Title>
        <Text size="sm">{t(`tasks.${task}`)}</Text>
        <Facts
          items={[
            [t('tasks.schedule'), <code key="cron">{cron}</code>],
            [t('tasks.next'), <Time key="next" at={nextAt} />],
            [
              t('tasks.last'),
              lastRun === null ? (
                '–'
              ) : (
                <TextLink key="last" to="/tasks/$id" params={{ id: lastRun.id }}>
                  <Time at={lastRun.createdAt} /> · {t(`run.state.${lastRun.state}`)}
                </TextLink>
              ),
            ],
          ]}
        />
        {task !== 'prune' && (
          <>
            <UnstyledButton onClick={parameters.toggle} aria-expanded={isOpen} td="underline" fz="sm">
              {t('tasks.parameters')}
            </UnstyledButton>
            <Collapse expanded={isOpen}>
              <Parameters task={task} draft={draft} onChange={setDraft} />
            </Collapse>
          </>
        )}
        <Group>
          <RunButton task={task} request={requestOf(task, draft)} label={t('tasks.runNow')} />
        </Group>
      </Stack>
    </Card>
  )
}

interface ParametersProps {
  task: TaskView['task']
  draft: Draft
  onChange(draft: Draft): void
}

function Parameters({ task, draft, onChange }: ParametersProps): ReactNode {
  const { t } = useLanguage()
  const integrations = useIntegrationFilter()
  const yesOrNo = [
    { value: 'true', label: t('common.yes') },
    { value: 'false', label: t('common.no') },
  ]
  const text = (name: 'ids' | 'errorCode', label: string): ReactNode => (
    <TextInput label={label} value={draft[name]} onChange={(event) => onChange({ ...draft, [name]: event.currentTarget.value })} />
  )
  return (
    <Stack gap="xs">
      {text('ids', t('tasks.ids'))}
      <NativeSelect
        label={integrations.label}
        value={draft.integration}
        onChange={(event) => onChange({ ...draft, integration: event.currentTarget.value })}
        data={[{ value: '', label: t('common.all') }, ...(integrations.choices ?? [])]}
      />
      {text('errorCode', t('field.errorCode'))}
      <NumberInput
        label={t('tasks.sinceDays')}
        min={0}
        value={draft.sinceDays}
        onChange={(sinceDays) => onChange({ ...draft, sinceDays })}
      />
      <NativeSelect
        label={t('field.draft')}
        value={draft.draft}
        onChange={(event) => onChange({ ...draft, draft: event.currentTarget.value })}
        data={[{ value: '', label: t('common.all') }, ...yesOrNo]}
      />
      {task === 'reprocess' && (
        <>
          <NativeSelect
            label={t('tasks.asDraft')}
            value={draft.asDraft}
            onChange={(event) => onChange({ ...draft, asDraft: event.currentTarget.value })}
            data={[{ value: '', label: t('tasks.asBefore') }, ...yesOrNo]}
          />
          <Checkbox
            label={t('tasks.replay')}
            checked={draft.replay}
            onChange={(event) => onChange({ ...draft, replay: event.currentTarget.checked })}
          />
        </>
      )}
    </Stack>
  )
}

/** Ids with a dot are those of instances. */
function requestOf(task: TaskView['task'], { ids, integration, errorCode, sinceDays, draft, asDraft, replay }: Draft): RunRequest {
  const list = ids.split(/[\s,;]+/).filter((id) => id !== '')
  const messages = list.filter((id) => !id.includes('.'))
  const instances = list.filter((id) => id.includes('.'))
  return {
    ...(messages.length === 0 ? {} : { messages }),
    ...(instances.length === 0 ? {} : { instances }),
    ...(integration === '' ? {} : { integration }),
    ...(errorCode.trim() === '' ? {} : { errorCode: errorCode.trim() }),
    ...(Number(sinceDays) > 0 ? { sinceDays: Number(sinceDays) } : {}),
    ...(draft === '' ? {} : { draft: draft === 'true' }),
    ...(task !== 'reprocess' || asDraft === '' ? {} : { asDraft: asDraft === 'true' }),
    ...(task === 'reprocess' && replay ? { replay } : {}),
  }
}
