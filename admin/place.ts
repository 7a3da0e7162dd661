/** Where the UI is served from: known only at run time, told by the page itself. */

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? ''
}

/** URL of the base path, with a slash at its end. Read once: it is relative to the address that the page was opened at. */
export const baseUrl = new URL(meta('sluice-base'), document.location.href)

/** Styles that are written at run time need this to be allowed. */
export const styleNonce = meta('sluice-nonce')
