/** A token is shown once, for a cookie that no script can read. */
import { Alert, Button, Container, Group, Paper, PasswordInput, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { Session } from '../../src/http/contract/index.ts'
import { ApiError, call } from '../api/http.ts'
import { noteSignedIn, sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Failure } from './Failure.tsx'
import { Logo } from './Icon.tsx'
import { PageTitle } from './PageTitle.tsx'
import { Preferences } from './Preferences.tsx'

export function SignIn(): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const [token, setToken] = useState('')
  const signIn = useMutation({
    mutationFn: async () =>
      (await call('session', { method: 'POST', headers: { Authorization: `Bearer ${token.trim()}` } })).json() as Promise<Session>,
    onSuccess: (session) => {
      noteSignedIn(true)
      client.setQueryData(sessionQuery.queryKey, session)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    signIn.mutate()
  }
  const isRefused = signIn.error instanceof ApiError && signIn.error.status === 401
  return (
    <Container component="main" size="xs" py="xl">
      <Group justify="space-between" mb="md">
        <Group gap="xs">
          <Logo />
          <Text fw={700} size="lg">
            {t('app.name')}
          </Text>
        </Group>
        <Preferences />
      </Group>
      <Paper withBorder p="lg">
        <form onSubmit={submit}>
          <Stack>
            <PageTitle>{t('signIn.title')}</PageTitle>
            <PasswordInput
              label={t('signIn.token')}
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              autoComplete="current-password"
              required
            />
            <Text size="sm">
              {t('signIn.hint')
                .split('`')
                .map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))}
            </Text>
            {isRefused && (
              <Alert color="red" role="alert" variant="outline">
                {t('signIn.refused')}
              </Alert>
            )}
            {signIn.error !== null && !isRefused && <Failure error={signIn.error} />}
            <Button type="submit" loading={signIn.isPending}>
              {t('signIn.button')}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Container>
  )
}
