/** The frame of every page: navigation, language, colours, who is signed in. Nobody: the sign-in. */
import { AppShell, Burger, Group, Loader, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { useLive } from '../api/live.ts'
import { sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Account } from './Account.tsx'
import { Failure } from './Failure.tsx'
import { Logo } from './Icon.tsx'
import { Navigation } from './Navigation.tsx'
import { Preferences } from './Preferences.tsx'
import { SignIn } from './SignIn.tsx'

export function Shell(): ReactNode {
  const { t } = useLanguage()
  const session = useQuery(sessionQuery)
  const [isOpen, menu] = useDisclosure(false)
  useLive(session.data != null)
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  const { close } = menu
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when another page is opened
  useEffect(close, [pathname, close])

  if (session.isPending) return <Loader m="xl" role="status" aria-label={t('common.loading')} />
  if (session.data === undefined) return <Failure error={session.error} onRetry={() => void session.refetch()} />
  if (session.data === null) return <SignIn />
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !isOpen } }} padding="md">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t('app.skip')}
      </button>
      <AppShell.Header className="frame">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isOpen} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label={t('app.menu')} aria-expanded={isOpen} />
            <Logo />
            <Text fw={700} size="lg">
              {t('app.name')}
            </Text>
          </Group>
          <Preferences />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className="frame" p="xs" aria-label={t('app.menu')}>
        <Navigation role={session.data.role} />
        <Account session={session.data} />
      </AppShell.Navbar>
      <AppShell.Main ref={main} tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}
