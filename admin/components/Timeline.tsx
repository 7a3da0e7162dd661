/** The stages of a message, with the time that each took. */
import { Timeline as Line, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Message } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Time } from './Time.tsx'

export function Timeline({ message }: { message: Message }): ReactNode {
  const { t, format } = useLanguage()
  const { status, receivedAt, validatedAt, splitAt, finishedAt } = message
  const stages = [
    { key: 'received', at: receivedAt },
    { key: 'validated', at: validatedAt },
    { key: 'split', at: splitAt },
    // A message that isn't correct ends with its validation.
    { key: 'finished', at: status === -1 ? null : finishedAt },
  ] as const
  const done = stages.filter(({ at }) => at !== null).length
  const later = status === -1 ? t('timeline.never') : t('timeline.notYet')
  return (
    <Line active={done - 1} bulletSize={14} lineWidth={2}>
      {stages.map(({ key, at }, index) => {
        const before = stages[index - 1]?.at ?? null
        const seconds = at === null || before === null ? null : (new Date(at).getTime() - new Date(before).getTime()) / 1000
        return (
          <Line.Item key={key} title={t(`timeline.${key}`)}>
            <Text size="sm">
              {at === null ? later : <Time at={at} />}
              {seconds !== null && seconds >= 0 && ` · ${t('timeline.after', { duration: format.duration(seconds) })}`}
            </Text>
          </Line.Item>
        )
      })}
    </Line>
  )
}
