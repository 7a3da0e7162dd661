/** Links to the pages that a role can use. */
import { NavLink } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Role } from '../../src/http/contract/index.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Icon } from './Icon.tsx'

const PageLink = createLink(NavLink<'a'>)

const readers: readonly Role[] = ['viewer', 'operator', 'admin']
const everybody: readonly Role[] = ['sender', ...readers]

const administrators: readonly Role[] = ['admin']

const links = [
  { to: '/', name: 'overview', roles: readers },
  { to: '/messages', name: 'messages', roles: everybody },
  { to: '/instances', name: 'instances', roles: everybody },
  { to: '/objects', name: 'objects', roles: readers },
  { to: '/errors', name: 'errors', roles: readers },
  { to: '/integrations', name: 'integrations', roles: readers },
  { to: '/tasks', name: 'tasks', roles: readers },
  { to: '/access', name: 'access', roles: administrators },
] as const

export function Navigation({ role }: { role: Role }): ReactNode {
  const { t } = useLanguage()
  return links
    .filter((link) => link.roles.includes(role))
    .map(({ to, name }) => (
      <PageLink
        key={to}
        to={to}
        label={t(`nav.${name}`)}
        leftSection={<Icon name={name} />}
        className="nav"
        activeOptions={{ exact: to === '/', includeSearch: false }}
      />
    ))
}
