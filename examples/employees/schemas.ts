/** What the HR system sends. `ms_id` is the external ID everywhere: a string or an integer. */
import { z } from 'zod'

const msId = z.union([z.string().min(1), z.int()])

export const Area = z.object({ ms_id: msId, title: z.string() })

export const Position = z.object({ ms_id: msId, title: z.string() })

export const Organization = z.object({
  ms_id: msId,
  title: z.string(),
  phone_number: z.string().nullish(),
  district_ms_id: msId,
  area_ms_id_list: z.array(msId),
  changed_at: z.iso.datetime({ offset: true }),
  deleted_at: z.iso.datetime({ offset: true }).nullish(),
})

export const Employee = z.object({
  ms_id: msId,
  name: z.string(),
  position_ms_id: msId,
  organization_ms_id: msId,
  date_joined: z.iso.date(),
})
