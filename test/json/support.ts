import { SluiceError } from '../../src/errors.ts'
import { MessageScanner, type ScanLimits, type ScanSummary, type Span } from '../../src/json/scan.ts'

/** Limits that no test meets by chance. */
export const limits: ScanLimits = { maxDepth: 100, maxObjects: 100_000, maxKeyLength: 1024, maxNumberLength: 1024 }

export function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}

/** The texts at these spans. */
export function texts(message: string | Uint8Array, spans: readonly Span[]): string[] {
  const buffer = Buffer.from(message)
  return spans.map(({ start, end }) => buffer.toString('utf8', start, end))
}

/** What a message in these pieces comes to: all its spans with the summary, or the refusal. */
export function outcome(
  chunks: readonly Uint8Array[],
  format: 'json' | 'ndjson' = 'json',
  own: ScanLimits = limits,
): { summary: ScanSummary; spans: Span[] } | SluiceError {
  const scanner = new MessageScanner(format, own)
  const spans: Span[] = []
  try {
    for (const chunk of chunks) {
      scanner.push(chunk)
      spans.push(...scanner.takeSpans())
    }
    const summary = scanner.end()
    return { summary, spans: [...spans, ...scanner.takeSpans()] }
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
}
