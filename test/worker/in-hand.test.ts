import { expect, test } from 'vitest'
import { type ChunkInHand, InHand } from '../../src/worker/in-hand.ts'

function toldOf() {
  const told: (string | null)[] = []
  const inHand = new InHand((state: ChunkInHand | null) => told.push(state === null ? null : (state.chunkId ?? 'split')))
  return { told, inHand }
}

test('a lane that ends a chunk does not hide one that another lane still has', () => {
  const { told, inHand } = toldOf()
  const endFirst = inHand.begin('1')
  inHand.begin('2')()
  const endThird = inHand.begin('3')
  endFirst()
  endThird()
  expect(told).toEqual(['1', '3', null])
})

test('a split counts like a chunk, and two at once are two', () => {
  const { told, inHand } = toldOf()
  const endFirst = inHand.begin(null)
  const endSecond = inHand.begin(null)
  endFirst()
  endSecond()
  expect(told).toEqual(['split', 'split', null])
})
