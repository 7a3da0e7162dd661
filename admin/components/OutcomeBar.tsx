/** How far a message has come, by outcome: a bar, with the same said in words. */
import type { ReactNode } from 'react'
import type { Counts } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'

/** What becomes of a processed instance. */
export const outcomes = ['created', 'updated', 'unchanged', 'deleted', 'superseded', 'ignored'] as const

/** In the order they are shown. */
export const shownCounts = [...outcomes, 'failed', 'processing', 'waiting'] as const

export function OutcomeBar({ counts, total }: { counts: Counts; total: number | null }): ReactNode {
  const { t, format } = useLanguage()
  if (total === null || total === 0) return '–'
  const shown = shownCounts.filter((name) => counts[name] > 0)
  const words = shown.map((name) => `${t(`outcome.${name}`)} ${format.number(counts[name])}`).join(', ')
  return (
    <div>
      <div className="bar" aria-hidden="true">
        {shown
          .filter((name) => name !== 'waiting')
          .map((name) => (
            <span key={name} className={`of-${name}`} style={{ width: `${(100 * counts[name]) / total}%` }} />
          ))}
      </div>
      <small>{words}</small>
    </div>
  )
}
