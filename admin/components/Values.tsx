/** The members of a small object, a line each, named in words where there are any. Counts of zero and empty lists are left out. */
import type { ReactNode } from 'react'
import { isKey, useLanguage } from '../i18n/language.tsx'
import { Plain } from './Plain.tsx'

export function Values({ values, empty }: { values: unknown; empty: string }): ReactNode {
  const { t, format } = useLanguage()
  const entries = typeof values === 'object' && values !== null ? Object.entries(values).filter(([, value]) => !isNothing(value)) : []
  if (entries.length === 0) return empty
  const lines = entries.map(([name, value]) => {
    const key = `value.${name}`
    return `${isKey(key) ? t(key) : name}: ${typeof value === 'number' ? format.number(value) : typeof value === 'string' ? value : JSON.stringify(value)}`
  })
  return <Plain text={lines.join('\n')} />
}

function isNothing(value: unknown): boolean {
  return value === 0 || (Array.isArray(value) && value.length === 0)
}
