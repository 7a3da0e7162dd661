/** Organizations of a made-up master system, three levels deep. */
import { z } from 'zod'

/** An organization as the master system sends it. */
export const Organization = z.object({
  ms_id: z.string(),
  title: z.string().min(1),
  parent_ms_id: z.string().nullable(),
  phone: z.string().optional(),
  address: z.string().optional(),
  district_ms_id: z.string().nullish(),
  area_ms_id_list: z.array(z.string()).optional(),
  deleted_at: z.string().nullish(),
})

export type Organization = z.infer<typeof Organization>

/** Pages on each level: 6, nine below each of them, and so on. */
const firstLevel = 6
const secondLevel = 9
const thirdLevel = 240

/** Three hundred organizations, the lowest first: a child may come before its parent. */
export function organizations(): Organization[] {
  const top = Array.from({ length: firstLevel }, (_, index) => organization(`R${index}`, null, index))
  const middle = top.flatMap((parent, at) =>
    Array.from({ length: secondLevel }, (_, index) => organization(`${parent.ms_id}-${index}`, parent.ms_id, at * secondLevel + index)),
  )
  const low = Array.from({ length: thirdLevel }, (_, index) => {
    const parent = middle[index % middle.length]?.ms_id ?? ''
    return organization(`${parent}-${Math.floor(index / middle.length)}`, parent, index)
  })
  return [...low, ...middle, ...top]
}

function organization(id: string, parent: string | null, number: number): Organization {
  return {
    ms_id: id,
    title: `Organization ${id}`,
    parent_ms_id: parent,
    phone: `555-${String(1000 + number)}`,
    address: `${number + 1} Long Street`,
    district_ms_id: String((number % 5) + 1),
    area_ms_id_list: [String((number % 20) + 1), String(((number + 7) % 20) + 1)],
  }
}
