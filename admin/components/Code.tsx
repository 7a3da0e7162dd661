/** A code of the server in words, where there are any, with the code itself. */
import type { ReactNode } from 'react'
import { isKey, useLanguage } from '../i18n/language.tsx'

/** @param of `code`: why something failed; `issue`: what a schema says of a place */
export function Code({ code, of = 'code' }: { code: string; of?: 'code' | 'issue' }): ReactNode {
  const { t } = useLanguage()
  const key = `${of}.${code}`
  return (
    <>
      {isKey(key) && <>{t(key)} </>}
      <code>{code}</code>
    </>
  )
}
