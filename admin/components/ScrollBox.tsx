/** A box for long text: it scrolls by itself, by the keyboard too. */
import type { ReactNode, Ref } from 'react'

export function ScrollBox({ label, ref, children }: { label: string; ref?: Ref<HTMLDivElement>; children: ReactNode }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by the keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="json" role="group" aria-label={label} ref={ref} tabIndex={0}>
      {children}
    </div>
  )
}
