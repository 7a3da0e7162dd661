/** Instances as a list. */
import { type ReactNode, useMemo } from 'react'
import type { InstanceItem } from '../../src/http/contract/index.ts'
import { detailIn } from '../i18n/detail.ts'
import { useLanguage } from '../i18n/language.tsx'
import { Code } from './Code.tsx'
import { type Column, DataTable, type Selection } from './DataTable.tsx'
import { InstanceLink, ObjectLink } from './Links.tsx'
import { Plain } from './Plain.tsx'
import { StatusBadge } from './StatusBadge.tsx'
import { Time } from './Time.tsx'

interface InstanceTableProps {
  rows: readonly InstanceItem[]
  selection?: Selection
  empty?: string
  /** Whether the rows are of several integrations. */
  isMixed?: boolean
}

export function InstanceTable({ rows, isMixed = false, ...rest }: InstanceTableProps): ReactNode {
  const { t } = useLanguage()
  const columns = useMemo(
    (): Column<InstanceItem>[] => [
      { id: 'id', header: t('field.instance'), cell: ({ id }) => <InstanceLink id={id} /> },
      ...(isMixed ? [{ id: 'integration', header: t('field.integration'), cell: ({ integration }: InstanceItem) => integration }] : []),
      {
        id: 'externalId',
        header: t('field.externalId'),
        cell: ({ integration, externalId }) => <ObjectLink {...{ integration, externalId }} />,
      },
      { id: 'status', header: t('field.status'), cell: ({ status }) => <StatusBadge of="instance" status={status} /> },
      { id: 'outcome', header: t('field.outcome'), cell: (item) => <Outcome item={item} /> },
      { id: 'attempts', header: t('field.attempts'), isNumber: true, cell: ({ attempts }) => attempts },
      { id: 'finished', header: t('field.finished'), cell: ({ finishedAt }) => <Time at={finishedAt} /> },
    ],
    [t, isMixed],
  )
  return <DataTable label={t('nav.instances')} columns={columns} rows={rows} rowId={(row) => row.id} {...rest} />
}

function Outcome({ item: { outcome, detail, error } }: { item: InstanceItem }): ReactNode {
  const { t } = useLanguage()
  if (error !== null) {
    return (
      <>
        <Code code={error.code} /> <Plain text={error.message} limit={200} />
      </>
    )
  }
  if (outcome === null) return '–'
  return detail === null ? t(`outcome.${outcome}`) : `${t(`outcome.${outcome}`)} (${detailIn(t, detail)})`
}
