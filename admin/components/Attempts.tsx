/** Earlier attempts of an instance, oldest first, each with what became of it. */
import { Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { InstanceItem } from '../../src/http/contract/index.ts'
import { isKey, useLanguage } from '../i18n/language.tsx'
import { InstanceFailure } from './InstanceFailure.tsx'
import { Time } from './Time.tsx'

/** As the store writes it: when it ended, and its outcome or its error. */
interface Attempt {
  at?: string
  outcome?: string
  error?: NonNullable<InstanceItem['error']>
}

export function Attempts({ attempts }: { attempts: readonly unknown[] }): ReactNode {
  const { t } = useLanguage()
  return (
    <Stack gap="xs">
      {(attempts as Attempt[]).map(({ at, outcome, error }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a history only grows at its end
        <div key={index}>
          <Text size="sm" fw={600}>
            {index + 1}. <Time at={at ?? null} />
          </Text>
          {error !== undefined && <InstanceFailure error={error} />}
          {outcome !== undefined && (
            <Text size="sm">{isKey(`outcome.${outcome}`) ? t(`outcome.${outcome}` as 'outcome.created') : outcome}</Text>
          )}
        </div>
      ))}
    </Stack>
  )
}
