/** Who is signed in, and the way out. */
import { Button, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Session } from '../../src/http/contract/index.ts'
import { call } from '../api/http.ts'
import { noteSignedIn, sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'

export function Account({ session }: { session: Session }): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const signOut = async (): Promise<void> => {
    await call('session', { method: 'DELETE' })
    noteSignedIn(false)
    client.setQueryData(sessionQuery.queryKey, null)
    // What the last one read is not for the next one.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
  }
  return (
    <Stack mt="auto" gap="xs" p="xs">
      <Text size="sm">{t('app.signedIn', { name: session.name, role: t(`role.${session.role}`) })}</Text>
      <Button variant="default" size="xs" onClick={() => void signOut()}>
        {t('app.signOut')}
      </Button>
      <Text size="xs">Sluice {session.version}</Text>
    </Stack>
  )
}
