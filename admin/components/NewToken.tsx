/** Gives out a token; its secret is shown this once. */
import { Alert, Button, Group, MultiSelect, NativeSelect, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { CreatedToken, Role, TokenRequest } from '../../src/http/contract/index.ts'
import { call } from '../api/http.ts'
import { useLanguage } from '../i18n/language.tsx'
import { CopyText } from './CopyText.tsx'
import { Failure } from './Failure.tsx'
import { useIntegrationFilter } from './use-integration-filter.ts'

const roles: readonly Role[] = ['sender', 'viewer', 'operator', 'admin']

export function NewToken(): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const known = useIntegrationFilter()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('sender')
  const [integrations, setIntegrations] = useState<string[]>([])
  const create = useMutation({
    mutationFn: async () => {
      const request: TokenRequest = { name: name.trim(), role, integrations: integrations.length === 0 ? null : integrations }
      return (await call('tokens', { method: 'POST', json: request })).json() as Promise<CreatedToken>
    },
    onSuccess: () => {
      setName('')
      return client.invalidateQueries({ queryKey: ['tokens'] })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Stack gap="xs">
      <form onSubmit={submit} aria-label={t('access.new')}>
        <Group align="flex-end">
          <TextInput
            label={t('field.name')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={63}
          />
          <NativeSelect
            label={t('field.role')}
            value={role}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
            data={roles.map((value) => ({ value, label: t(`role.${value}`) }))}
          />
          <MultiSelect
            label={t('nav.integrations')}
            placeholder={integrations.length === 0 ? t('common.all') : ''}
            value={integrations}
            onChange={setIntegrations}
            data={[...(known.choices ?? [])]}
            miw={220}
          />
          <Button type="submit" loading={create.isPending}>
            {t('access.create')}
          </Button>
        </Group>
      </form>
      <Text size="sm">{t(`access.role.${role}`)}</Text>
      {create.error !== null && <Failure error={create.error} />}
      {create.data !== undefined && (
        <Alert color="green" variant="outline" role="status" title={t('access.once', { name: create.data.name })}>
          <CopyText text={create.data.token} />
        </Alert>
      )}
    </Stack>
  )
}
