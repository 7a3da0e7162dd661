/** What stands in the target for an object, as it is now. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { targetQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Facts } from './Facts.tsx'
import { JsonLines } from './JsonLines.tsx'
import { Loaded } from './Loaded.tsx'
import { Plain } from './Plain.tsx'

export function TargetNow({ integration, externalId }: { integration: string; externalId: string }): ReactNode {
  const { t } = useLanguage()
  const target = useQuery(targetQuery(integration, externalId))
  return (
    <Loaded query={target}>
      {({ kind, where, ref, rowText }) =>
        where === null ? (
          t(kind === 'handler' ? 'objects.targetUntold' : 'objects.targetNone')
        ) : (
          <Stack gap="xs">
            <Facts
              items={[
                [t('field.target'), <Plain key="where" text={where} mono />],
                [t('objects.targetRef'), ref === null ? undefined : <Plain key="ref" text={ref} />],
              ]}
            />
            {rowText !== null && <JsonLines text={rowText} label={t('objects.target')} />}
          </Stack>
        )
      }
    </Loaded>
  )
}
