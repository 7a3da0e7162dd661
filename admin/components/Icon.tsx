/** Small pictures beside words that say the same; nothing to a screen reader. */
import type { ReactNode } from 'react'

/** Strokes on a square of 24. */
const paths = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  messages: 'M4 6h16v12H4zM4 7l8 6 8-6',
  instances: 'M4 6h16M4 12h16M4 18h10',
  objects: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  errors: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  integrations: 'M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3',
  tasks: 'M12 4a8 8 0 1 0 .01 0M12 8v4l3 2',
  access: 'M14 10a4 4 0 1 0-4 4l1.5-1.5H14V10M13 11l7-7M17 7l2 2',
} as const
export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round" aria-hidden>
      <path d={paths[name]} strokeLinecap="round" />
    </svg>
  )
}

/** The mark of the product. */
export function Logo(): ReactNode {
  return (
    <svg
      className="logo"
      width="26"
      height="26"
      viewBox="0 0 32 32"
      fill="none"
      stroke="#fff"
      strokeWidth="3"
      strokeLinecap="round"
      aria-hidden
    >
      <rect width="32" height="32" rx="8" fill="currentColor" stroke="none" />
      <path d="M7 9h18M7 16h12M7 23h6" />
      <path d="m20 19 3.5 4L27 19" strokeLinejoin="round" />
    </svg>
  )
}
