/** Why an instance failed: the server's text, what its class means, and what to do. */
import { Alert, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { InstanceItem } from '../../src/http/contract/index.ts'
import { isKey, useLanguage } from '../i18n/language.tsx'
import { Code } from './Code.tsx'
import { Plain } from './Plain.tsx'

export function InstanceFailure({ error }: { error: NonNullable<InstanceItem['error']> }): ReactNode {
  const { t } = useLanguage()
  const hint = `error.hint.${error.code}`
  return (
    <Alert color="red" variant="outline" title={<Code code={error.code} />}>
      <Stack gap={4}>
        <Plain text={error.message} />
        {error.column !== undefined && <Text size="sm">{t('error.field', { column: error.column })}</Text>}
        {error.pointer !== undefined && <Text size="sm">{t('error.pointer', { pointer: error.pointer })}</Text>}
        {isKey(hint) && <Text size="sm">{t(hint)}</Text>}
        <Text size="sm">{t(`error.class.${error.class}`)}</Text>
      </Stack>
    </Alert>
  )
}
