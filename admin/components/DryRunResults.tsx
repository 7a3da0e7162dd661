/** What would become of each object of a dry run. */
import { Card, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { DryRun, InstanceItem } from '../../src/http/contract/index.ts'
import { isKey, useLanguage } from '../i18n/language.tsx'
import { type ChangeSet, Changes } from './Changes.tsx'
import { InstanceFailure } from './InstanceFailure.tsx'
import { IssueList } from './IssueList.tsx'
import { Plain } from './Plain.tsx'

export function DryRunResults({ result: { results, errors } }: { result: DryRun }): ReactNode {
  const { t } = useLanguage()
  return (
    <Stack gap="xs" role="status">
      <Text fw={600}>{t('send.wouldBe')}</Text>
      {errors !== undefined && <IssueList issues={errors} />}
      {results.map(({ ordinal, externalId, outcome, changes, error }) => {
        const key = `outcome.${outcome}`
        return (
          <Card key={ordinal} withBorder component="article" aria-label={String(ordinal)}>
            <Text component="div">
              {ordinal}: <Plain text={externalId ?? '–'} /> <strong>{isKey(key) ? t(key) : ''}</strong>
            </Text>
            {error !== null && error !== undefined && <InstanceFailure error={error as NonNullable<InstanceItem['error']>} />}
            {typeof changes === 'object' && changes !== null && <Changes changes={changes as ChangeSet} />}
          </Card>
        )
      })}
    </Stack>
  )
}
