/** A text of a target, with the addresses in it as links: pages of a site, such as `published page 61, https://…`. */
import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { Plain, visible } from './Plain.tsx'

/** Nothing but http and https: no other scheme ever becomes a link. */
const address = /(https?:\/\/[^\s<>"]+)/

export function Linked({ text }: { text: string }): ReactNode {
  return text.split(address).map((part, index) =>
    index % 2 === 1 && URL.canParse(part) ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change their order
      <Anchor key={index} href={part} target="_blank" rel="noopener noreferrer">
        <bdi className="plain">{visible(part)}</bdi>
      </Anchor>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: see above
      part !== '' && <Plain key={index} text={part} />
    ),
  )
}
