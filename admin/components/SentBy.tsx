/** Who sent a message. */
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { messageQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Plain } from './Plain.tsx'

export function SentBy({ message }: { message: string }): ReactNode {
  const { t } = useLanguage()
  const { data } = useQuery({ ...messageQuery(message), refetchInterval: false })
  if (data === undefined) return null
  return (
    <>
      {t('field.source')}: <Plain text={data.source} />
    </>
  )
}
