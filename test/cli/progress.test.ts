import { expect, test } from 'vitest'
import { Progress } from '../../src/cli/progress.ts'

function screen(isTTY: boolean) {
  const written: string[] = []
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) }
}

test('a terminal gets one line that is drawn again', () => {
  const terminal = screen(true)
  let now = 0
  const progress = new Progress(terminal, () => now)
  progress.update('sending', 0, 10)
  progress.update('sending', 3, 10) // too soon after the last one
  now += 1000
  progress.update('sending', 5, 10)
  progress.end()
  expect(terminal.written).toEqual([
    '\r\u001b[Ksending [........................]   0%  0 of 10',
    '\r\u001b[Ksending [############............]  50%  5 of 10',
    '\n',
  ])
})

test('anything else gets plain lines, the last state always', () => {
  const file = screen(false)
  let now = 0
  const progress = new Progress(file, () => now)
  progress.update('sending', 1, null, (count) => `${count} B`)
  now += 100
  progress.update('sending', 9, null, (count) => `${count} B`)
  progress.update('processing', 0, 2)
  now += 100
  progress.update('processing', 2, 2)
  progress.end()
  expect(file.written).toEqual(['sending: 1 B\n', 'sending: 9 B\n', 'processing: 0 of 2\n', 'processing: 2 of 2\n'])
})
