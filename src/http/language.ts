/** Which language a client reads. */
import type { Language } from '../model/status.ts'

/** The best of the languages that labels exist in for an `Accept-Language` header (RFC 9110, 12.5.4). Default: English. */
export function languageFor(header: string | null): Language {
  let best: Language = 'en'
  let bestWeight = 0
  for (const range of (header ?? '').split(',')) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    const weight = quality === undefined ? 1 : Number(quality.slice(2))
    const primary = tag.split('-')[0]
    if ((primary === 'en' || primary === 'ru') && weight > bestWeight) {
      best = primary
      bestWeight = weight
    }
  }
  return best
}
