/** The language of the UI: chosen by the person, else by the browser; switched at once and remembered. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { en, type Key, type Text } from './en.ts'
import { type Format, formatFor } from './format.ts'
import { ru } from './ru.ts'

export const languages = ['en', 'ru'] as const
export type Language = (typeof languages)[number]

const texts: Record<Language, Record<Key, Text>> = { en, ru }
const stored = 'sluice-language'

/** Text of a key, with `{name}` filled in; `n` chooses the plural form. */
export type Translate = (key: Key, values?: Record<string, string | number>) => string

interface LanguageValue {
  language: Language
  setLanguage(language: Language): void
  t: Translate
  format: Format
}

const LanguageContext = createContext<LanguageValue | null>(null)

export function LanguageProvider({ children }: { children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState<Language>(firstLanguage)
  useEffect(() => {
    document.documentElement.lang = language
    localStorage.setItem(stored, language)
  }, [language])
  const value = useMemo(() => ({ language, setLanguage, t: translator(language), format: formatFor(language) }), [language])
  return <LanguageContext value={value}>{children}</LanguageContext>
}

export function useLanguage(): LanguageValue {
  const value = useContext(LanguageContext)
  if (value === null) throw new Error('LanguageProvider is missing')
  return value
}

/** True for a key that there is a text for. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(en, key)
}

function firstLanguage(): Language {
  const remembered = localStorage.getItem(stored)
  const wished = remembered === null ? navigator.languages : [remembered]
  for (const tag of wished) {
    const found = languages.find((language) => tag.toLowerCase().startsWith(language))
    if (found !== undefined) return found
  }
  return 'en'
}

function translator(language: Language): Translate {
  const plurals = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  return (key, values = {}) => {
    const text = texts[language][key]
    const form = typeof text === 'string' ? text : (text[plurals.select(Number(values.n ?? 0))] ?? text.other ?? '')
    return form.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      if (value === undefined) return whole
      return typeof value === 'number' ? numbers.format(value) : value
    })
  }
}
