/** Processed and failed instances per minute of the last hour: a picture, and the same as a table. */
import { Table, useComputedColorScheme } from '@mantine/core'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Overview } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Time } from './Time.tsx'

const height = 220
const minutes = 60

export function Throughput({ overview }: { overview: Overview }): ReactNode {
  const { t, format, language } = useLanguage()
  const dark = useComputedColorScheme() === 'dark'
  const frame = useRef<HTMLDivElement>(null)
  const data = useMemo(() => seriesOf(overview), [overview])
  const latest = useRef(data)
  const plot = useRef<uPlot | null>(null)
  latest.current = data

  useEffect(() => {
    const place = frame.current
    if (place === null) return
    const ink = dark ? '#c9c9c9' : '#343a40'
    const axis = { stroke: ink, grid: { stroke: dark ? '#2b3036' : '#e9ecef', width: 1 }, ticks: { show: false } }
    const hours = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    const drawn = new uPlot(
      {
        width: place.clientWidth,
        height,
        cursor: { show: false },
        legend: { show: true, live: false },
        axes: [
          { ...axis, values: (_, splits) => splits.map((at) => hours.format(at * 1000)) },
          { ...axis, size: 60 },
        ],
        series: [
          {},
          {
            label: t('overview.processed'),
            stroke: dark ? '#69db7c' : '#2b8a3e',
            fill: dark ? '#69db7c26' : '#2b8a3e1f',
            width: 2,
            points: { show: false },
          },
          { label: t('overview.failed'), stroke: dark ? '#ff8787' : '#c92a2a', width: 2, points: { show: false } },
        ],
      },
      latest.current,
      place,
    )
    plot.current = drawn
    const watcher = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height }))
    watcher.observe(place)
    return () => {
      watcher.disconnect()
      drawn.destroy()
    }
  }, [dark, language, t])
  useEffect(() => plot.current?.setData(data), [data])

  return (
    <>
      <div ref={frame} role="img" aria-label={t('overview.throughput')} />
      <details>
        <summary>{t('overview.asTable')}</summary>
        <Table aria-label={t('overview.throughput')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('overview.minute')}</Table.Th>
              <Table.Th>{t('overview.processed')}</Table.Th>
              <Table.Th>{t('overview.failed')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {overview.minutes.map(({ at, processed, failed }) => (
              <Table.Tr key={at}>
                <Table.Td>
                  <Time at={at} />
                </Table.Td>
                <Table.Td>{format.number(processed)}</Table.Td>
                <Table.Td>{format.number(failed)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </details>
    </>
  )
}

/** Minutes without an entry had nothing. */
function seriesOf({ at, minutes: known }: Overview): [number[], number[], number[]] {
  const byTime = new Map(known.map((minute) => [new Date(minute.at).getTime() / 1000, minute]))
  const now = Math.floor(new Date(at).getTime() / 60_000) * 60
  const times = Array.from({ length: minutes }, (_, index) => now - (minutes - 1 - index) * 60)
  return [times, times.map((time) => byTime.get(time)?.processed ?? 0), times.map((time) => byTime.get(time)?.failed ?? 0)]
}
