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
  autoContrast: true,
  // A link in a text has to be told from it by more than its colour.
  components: { Anchor: Anchor.extend({ defaultProps: { underline: 'always' } }), Button: Button.extend({ defaultProps: { fw: 500 } }) },
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
