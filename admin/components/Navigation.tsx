/** Links to the pages that a role can use. */
import { NavLink } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Role } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'

const PageLink = createLink(NavLink<'a'>)

const readers: readonly Role[] = ['viewer', 'operator', 'admin']
const everybody: readonly Role[] = ['sender', ...readers]

const administrators: readonly Role[] = ['admin']

const links = [
  { to: '/', key: 'nav.overview', roles: readers },
  { to: '/messages', key: 'nav.messages', roles: everybody },
  { to: '/instances', key: 'nav.instances', roles: everybody },
  { to: '/objects', key: 'nav.objects', roles: readers },
  { to: '/errors', key: 'nav.errors', roles: readers },
  { to: '/integrations', key: 'nav.integrations', roles: readers },
  { to: '/tasks', key: 'nav.tasks', roles: readers },
  { to: '/access', key: 'nav.access', roles: administrators },
] as const

export function Navigation({ role }: { role: Role }): ReactNode {
  const { t } = useLanguage()
  return links
    .filter((link) => link.roles.includes(role))
    .map(({ to, key }) => (
      <PageLink key={to} to={to} label={t(key)} className="nav" activeOptions={{ exact: to === '/', includeSearch: false }} />
    ))
}
