/** The filter by integration that most lists have. */
import { useQuery } from '@tanstack/react-query'
import { integrationsQuery, sessionQuery } from '../api/queries.ts'
import { useLanguage } from '../i18n/language.tsx'
import type { Filter } from './FilterBar.tsx'

export function useIntegrationFilter(): Filter {
  const { t } = useLanguage()
  const session = useQuery(sessionQuery)
  // A sender may not list them: it types the name.
  const mayList = session.data != null && session.data.role !== 'sender'
  const { data } = useQuery({ ...integrationsQuery, enabled: mayList })
  const filter = { name: 'integration', label: t('field.integration') }
  return mayList ? { ...filter, choices: (data?.items ?? []).map(({ name }) => ({ value: name, label: name })) } : filter
}
