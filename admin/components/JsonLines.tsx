/** JSON laid out line by line; only the lines in sight are in the page, so that long texts stay quick. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import { type Line, linesOf } from '../json/lines.ts'
import { Plain } from './Plain.tsx'
import { ScrollBox } from './ScrollBox.tsx'

const lineHeight = 19
/** Shorter texts are written out whole: they can be searched and copied by the browser. */
const mostPlainLines = 300

/** @param mark JSON Pointer of a value to show and to scroll to */
export function JsonLines({ text, label, mark }: { text: string; label: string; mark?: string | undefined }): ReactNode {
  const lines = useMemo(() => linesOf(text), [text])
  const frame = useRef<HTMLDivElement>(null)
  const marked = useMemo(() => (mark === undefined ? -1 : lineOf(lines, mark)), [lines, mark])
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => lineHeight,
    overscan: 20,
    enabled: lines.length > mostPlainLines,
  })
  useEffect(() => {
    if (marked === -1) return
    if (lines.length > mostPlainLines) rows.scrollToIndex(marked, { align: 'center' })
    else frame.current?.children[marked]?.scrollIntoView({ block: 'nearest' })
    // Only when another place is asked for: scrolling is the reader's own after that.
  }, [marked, lines, rows.scrollToIndex])
  const isWhole = lines.length <= mostPlainLines
  return (
    <ScrollBox label={label} ref={frame}>
      {isWhole ? (
        lines.map((line, index) => <JsonLine key={lineKey(line, index)} line={line} isMarked={index === marked} />)
      ) : (
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((item) => (
            <div
              key={item.key}
              ref={rows.measureElement}
              data-index={item.index}
              style={{ position: 'absolute', insetInline: 0, transform: `translateY(${item.start}px)` }}
            >
              <JsonLine line={lines[item.index] ?? { depth: 0, parts: [] }} isMarked={item.index === marked} />
            </div>
          ))}
        </div>
      )}
    </ScrollBox>
  )
}

/** The line of a pointer; of one that leads nowhere (a field that is missing), that of what it should be in. */
function lineOf(lines: readonly Line[], pointer: string): number {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const found = lines.findIndex((line) => line.pointer === at)
    if (found !== -1 || at === '') return found
  }
}

function lineKey(line: Line, index: number): string {
  return `${index}${line.pointer ?? ''}`
}

function JsonLine({ line, isMarked }: { line: Line; isMarked: boolean }): ReactNode {
  return (
    <div className={isMarked ? 'line marked' : 'line'} style={{ paddingInlineStart: `${line.depth * 1.2}rem` }}>
      {line.parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line never change their order
        <span key={index} className={part.kind}>
          {part.kind === 'string' ? <Plain text={part.text} /> : part.text}
          {part.text === ':' ? ' ' : ''}
        </span>
      ))}
    </div>
  )
}
