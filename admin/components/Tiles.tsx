/** How everything is, in four numbers. */
import { SimpleGrid } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Overview } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'

export function Tiles({ overview: { integrations, at } }: { overview: Overview }): ReactNode {
  const { t, format } = useLanguage()
  const sum = (of: 'backlog' | 'failed' | 'processedLastHour'): number => integrations.reduce((total, each) => total + each[of], 0)
  const oldest = integrations.flatMap(({ oldestAt }) => (oldestAt === null ? [] : [new Date(oldestAt).getTime()])).sort((a, b) => a - b)[0]
  const failed = sum('failed')
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} component="dl" m={0}>
      <Tile name={t('overview.failedAll')} value={format.number(failed)} isWrong={failed > 0} />
      <Tile name={t('overview.waiting')} value={format.number(sum('backlog'))} />
      <Tile
        name={t('overview.oldestAge')}
        value={oldest === undefined ? '–' : format.duration(Math.max(0, (new Date(at).getTime() - oldest) / 1000))}
      />
      <Tile name={t('overview.processedHour')} value={format.number(sum('processedLastHour'))} />
    </SimpleGrid>
  )
}

function Tile({ name, value, isWrong = false }: { name: string; value: string; isWrong?: boolean }): ReactNode {
  return (
    <div className={isWrong ? 'panel tile wrong' : 'panel tile'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
