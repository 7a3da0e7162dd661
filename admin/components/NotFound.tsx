/** For addresses that nothing stands at. */
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { PageTitle } from './PageTitle.tsx'

export function NotFound(): ReactNode {
  const { t } = useLanguage()
  return <PageTitle>{t('app.notFound')}</PageTitle>
}
