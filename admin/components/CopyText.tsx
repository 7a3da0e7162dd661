/** A text to be copied elsewhere. */
import { Button, Code, CopyButton, Group } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'

export function CopyText({ text }: { text: string }): ReactNode {
  const { t } = useLanguage()
  return (
    <Group align="flex-start" gap="xs">
      <Code block className="plain" style={{ flex: '1 1 14rem' }}>
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button variant="default" size="xs" onClick={copy}>
            {t(copied ? 'common.copied' : 'common.copy')}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
