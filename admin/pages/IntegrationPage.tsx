/** One integration: how to send to it, what it takes, where that goes; and a message to try it with. */
import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { IntegrationView } from '../../src/http/contract/index.ts'
import { apiUrl } from '../api/http.ts'
import { integrationQuery } from '../api/queries.ts'
import { CopyText } from '../components/CopyText.tsx'
import { Facts } from '../components/Facts.tsx'
import { Loaded } from '../components/Loaded.tsx'
import { PageTitle } from '../components/PageTitle.tsx'
import { PausedNotice } from '../components/PausedNotice.tsx'
import { SchemaTable } from '../components/SchemaTable.tsx'
import { Section } from '../components/Section.tsx'
import { SendForm } from '../components/SendForm.tsx'
import { TargetTable } from '../components/TargetTable.tsx'
import { useLanguage } from '../i18n/language.tsx'

export function IntegrationPage(): ReactNode {
  const { t } = useLanguage()
  const { name } = useParams({ from: '/integrations/$name' })
  const integration = useQuery(integrationQuery(name))
  return (
    <Stack>
      <PageTitle under="integrations">{t('integration.title', { name })}</PageTitle>
      <Loaded query={integration}>{(data) => <View integration={data} />}</Loaded>
    </Stack>
  )
}

function View({ integration }: { integration: IntegrationView }): ReactNode {
  const { t, format } = useLanguage()
  const { name, key, version, deletes, onInvalid, schema, target, limits, paused } = integration
  const endpoint = apiUrl(`integrations/${encodeURIComponent(name)}/messages`).href
  return (
    <Stack gap="lg">
      {paused !== null && <PausedNotice name={name} paused={paused} />}
      <Section title={t('integration.howToSend')}>
        <CopyText
          text={`curl -i '${endpoint}' -H "Authorization: Bearer $SLUICE_TOKEN" -H 'Content-Type: application/json' --data-binary @message.json`}
        />
      </Section>
      <Section title={t('integration.facts')}>
        <Facts
          items={[
            [t('field.externalId'), <code key="key">{key}</code>],
            [
              t('field.version'),
              version === null ? t('integration.byArrival') : <code key="version">{`${version.field} (${version.type})`}</code>,
            ],
            [t('integration.deletes'), t(deletes ? 'common.yes' : 'common.no')],
            [t('integration.onInvalid'), t(`integration.onInvalid.${onInvalid}`)],
            [
              t('integration.limits'),
              t('integration.limitsText', { body: format.bytes(limits.body), objects: limits.objects, depth: limits.depth }),
            ],
          ]}
        />
      </Section>
      <Section title={t('integration.send')}>
        <SendForm name={name} schema={schema} />
      </Section>
      <Section title={t('integration.schema')}>{schema === null ? t('integration.noSchema') : <SchemaTable schema={schema} />}</Section>
      <Section title={t('integration.target')}>
        <TargetTable target={target} />
      </Section>
    </Stack>
  )
}
