/** Links to the pages that a role can use. */
import { NavLink } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Role } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'

const PageLink = createLink(NavLink<'a'>)

const readers: readonly Role[] = ['viewer', 'operator', 'admin']
const everybody: readonly Role[] = ['sender', ...readers]

const links = [
  { to: '/messages', key: 'nav.messages', roles: everybody },
  { to: '/objects', key: 'nav.objects', roles: readers },
] as const

export function Navigation({ role }: { role: Role }): ReactNode {
  const { t } = useLanguage()
  return links
    .filter((link) => link.roles.includes(role))
    .map(({ to, key }) => <PageLink key={to} to={to} label={t(key)} className="nav" />)
}
