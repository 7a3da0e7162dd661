/** A text that somebody sent: shown as text whatever is in it. */
import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useLanguage } from '../i18n/language.tsx'

const longest = 500

/** Characters that change how the text around them reads: the controls of direction, and those that can't be seen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\u061c\ufeff]/g

/** The text with each unseen character named. */
export function visible(text: string): string {
  return text.replaceAll(unseen, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`)
}

/** @param limit characters shown before a button shows the rest */
export function Plain({ text, mono = false, limit = longest }: { text: string; mono?: boolean; limit?: number }): ReactNode {
  const { t } = useLanguage()
  const [isWhole, setWhole] = useState(false)
  const isCut = !isWhole && text.length > limit
  return (
    <>
      <bdi className={mono ? 'plain mono' : 'plain'}>
        {visible(isCut ? text.slice(0, limit) : text)}
        {isCut && '…'}
      </bdi>
      {isCut && (
        <Button variant="subtle" size="compact-xs" onClick={() => setWhole(true)}>
          {t('common.showAll', { n: text.length })}
        </Button>
      )}
    </>
  )
}
