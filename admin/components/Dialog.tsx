/** A dialog with a heading and a way to close it. */
import { CloseButton, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'

interface DialogProps {
  title: string
  isOpen: boolean
  onClose(): void
  children: ReactNode
}

export function Dialog({ title, isOpen, onClose, children }: DialogProps): ReactNode {
  const { t } = useLanguage()
  return (
    <Modal.Root opened={isOpen} onClose={onClose}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body pt="md">
          <Stack>
            <Group justify="space-between" wrap="nowrap">
              <Modal.Title fw={700}>{title}</Modal.Title>
              <CloseButton onClick={onClose} aria-label={t('common.close')} />
            </Group>
            {children}
          </Stack>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
