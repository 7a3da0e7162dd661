/** Begins the admin UI. */
import '@mantine/core/styles.css'
import './style.css'
import { Anchor, Button, createTheme, MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/client.ts'
import { LanguageProvider } from './i18n/language.tsx'
import { styleNonce } from './place.ts'
import { router } from './router.tsx'

// A dependency of Mantine (get-nonce) that locks scrolling behind dialogs looks for the nonce here.
Object.assign(globalThis, { __webpack_nonce__: styleNonce })

const theme = createTheme({
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'md',
  // A little blue, as the grounds of style.css.
  colors: { dark: ['#d5dae0', '#b6bec8', '#98a2ae', '#7a8490', '#434b55', '#323941', '#272c33', '#1e2227', '#16191d', '#101316'] },
  headings: {
    sizes: {
      h1: { fontSize: '1.6rem', lineHeight: '1.25' },
      h2: { fontSize: '1.2rem', lineHeight: '1.3' },
      h3: { fontSize: '1.05rem', lineHeight: '1.35' },
      h4: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  autoContrast: true,
  // A link in a text has to be told from it by more than its colour.
  components: {
    Anchor: Anchor.extend({ defaultProps: { underline: 'always', inherit: true } }),
    Button: Button.extend({ defaultProps: { fw: 500 } }),
  },
})

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <LanguageProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>
  </StrictMode>,
)
