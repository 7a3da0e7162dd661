/** The end of a token, after a second look. */
import { Button, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { TokenView } from '../../src/http/contract/index.ts'
import { call } from '../api/http.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Dialog } from './Dialog.tsx'
import { Failure } from './Failure.tsx'

export function RevokeToken({ token: { id, name } }: { token: TokenView }): ReactNode {
  const { t } = useLanguage()
  const client = useQueryClient()
  const [isOpen, dialog] = useDisclosure(false)
  const revoke = useMutation({
    mutationFn: () => call(`tokens/${id}`, { method: 'DELETE' }),
    onSuccess: async () => {
      dialog.close()
      await client.invalidateQueries({ queryKey: ['tokens'] })
    },
  })
  return (
    <>
      <Button variant="default" size="xs" onClick={dialog.open} aria-label={`${t('access.revoke')}: ${name}`}>
        {t('access.revoke')}
      </Button>
      <Dialog title={t('access.revoke')} isOpen={isOpen} onClose={dialog.close}>
        <Text>{t('access.revokeWarning', { name })}</Text>
        {revoke.error !== null && <Failure error={revoke.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={dialog.close}>
            {t('common.cancel')}
          </Button>
          <Button color="red" onClick={() => revoke.mutate()} loading={revoke.isPending}>
            {t('access.revoke')}
          </Button>
        </Group>
      </Dialog>
    </>
  )
}
