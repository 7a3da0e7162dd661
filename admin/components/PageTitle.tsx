/** The heading of a page, also the title of the window. */
import { Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import { useLanguage } from '../i18n/language.tsx'

export function PageTitle({ children }: { children: string }): ReactNode {
  const { t } = useLanguage()
  useEffect(() => {
    document.title = `${children} · ${t('app.name')}`
  }, [children, t])
  return <Title order={1}>{children}</Title>
}
