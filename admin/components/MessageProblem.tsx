/** What is wrong with a message; each error leads to its place in the body. */
import { Alert, List, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Message } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Code } from './Code.tsx'
import { TextLink } from './Links.tsx'
import { Plain } from './Plain.tsx'

export function MessageProblem({ id, problem }: { id: string; problem: NonNullable<Message['problem']> }): ReactNode {
  const { t } = useLanguage()
  const { code, message, errors = [], errorCount = errors.length } = problem
  return (
    <Alert color="red" variant="outline" title={<Code code={code} />}>
      <Stack gap="xs">
        <Plain text={message} />
        <List size="sm" spacing={4}>
          {errors.map((error) => (
            <List.Item key={`${error.pointer}${error.code}${error.message}`}>
              {error.pointer !== undefined && (
                <>
                  <TextLink
                    to="/messages/$id"
                    params={{ id }}
                    search={(before) => ({ ...before, place: error.pointer, body: 'shown' })}
                    resetScroll={false}
                    title={t('messagePage.place')}
                  >
                    <Plain text={error.pointer === '' ? '/' : error.pointer} mono />
                  </TextLink>{' '}
                </>
              )}
              <Code of="issue" code={error.code} /> · <Plain text={error.message} />
            </List.Item>
          ))}
        </List>
        {errorCount > errors.length && <Text size="sm">{t('messagePage.moreErrors', { n: errorCount - errors.length })}</Text>}
      </Stack>
    </Alert>
  )
}
