/** A target's own word for what it did, in the language of the UI; the rest of its text stays as it is. */
import { isKey, type Translate } from './language.tsx'

const known = /^(created|published|draft saved|moved|unpublished|unchanged|superseded)(?: page ([^\s,]+))?(?![^\s,])/

/** @example detailIn(t, 'published page 61, https://…') // 'опубликовано, страница 61, https://…' */
export function detailIn(t: Translate, detail: string): string {
  return detail.replace(known, (whole, word: string, page: string | undefined) => {
    const key = `detail.${word}`
    if (!isKey(key)) return whole
    return page === undefined ? t(key) : t('detail.page', { word: t(key), page })
  })
}
