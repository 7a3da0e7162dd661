/** Why something could not be read or done, in words, and in the server's own. */
import { Alert, Button, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { ApiError } from '../api/http.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Code } from './Code.tsx'
import { Plain } from './Plain.tsx'

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }): ReactNode {
  const { t } = useLanguage()
  const problem = error instanceof ApiError ? error.problem : null
  const isNetwork = error instanceof ApiError && error.code === 'network'
  return (
    <Alert color="red" role="alert" title={t('common.failed')} variant="outline">
      <Text size="sm">
        {problem !== null && (
          <>
            <Code code={problem.code} />
            <br />
          </>
        )}
        {isNetwork ? t('common.network') : <Plain text={error instanceof Error ? error.message : String(error)} />}
      </Text>
      {onRetry !== undefined && (
        <Button mt="xs" size="xs" variant="default" onClick={onRetry}>
          {t('common.retry')}
        </Button>
      )}
    </Alert>
  )
}
