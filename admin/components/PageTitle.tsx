/** The heading of a page, also the title of the window; below a list it leads back there. */
import { Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { TextLink } from './Links.tsx'

interface PageTitleProps {
  children: string
  /** The list that the page's thing stands in. */
  under?: 'messages' | 'instances' | 'integrations' | 'tasks'
}

export function PageTitle({ children, under }: PageTitleProps): ReactNode {
  const { t } = useLanguage()
  useEffect(() => {
    document.title = `${children} · ${t('app.name')}`
  }, [children, t])
  return (
    <>
      {under !== undefined && (
        <div className="trail">
          <TextLink to={`/${under}`}>{t('common.upTo', { list: t(`nav.${under}`) })}</TextLink>
        </div>
      )}
      <Title order={1}>{children}</Title>
    </>
  )
}
