import { expect, test } from 'vitest'
import { type ChunkInHand, InHand } from '../../src/worker/in-hand.ts'

test('a lane that ends a chunk does not hide one that another lane still has', () => {
  const told: (string | null)[] = []
  const inHand = new InHand((state: ChunkInHand | null) => told.push(state?.chunkId ?? null))
  inHand.begin('1')
  inHand.begin('2')
  inHand.end('2')
  inHand.begin('3')
  inHand.end('1')
  inHand.end('3')
  expect(told).toEqual(['1', '3', null])
})
