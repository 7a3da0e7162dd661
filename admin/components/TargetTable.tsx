/** Where objects go, and what of them goes where. */
import { type ReactNode, useMemo } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { rowsOf, type TargetRow } from '../json/target.ts'
import { type Column, DataTable } from './DataTable.tsx'
import { TextLink } from './Links.tsx'

export function TargetTable({ target }: { target: Record<string, unknown> }): ReactNode {
  const { t } = useLanguage()
  const rows = useMemo(() => rowsOf(target), [target])
  const columns = useMemo(
    (): Column<TargetRow>[] => [
      { id: 'path', header: t('target.what'), cell: ({ path }) => <code>{path}</code> },
      { id: 'from', header: t('target.from'), cell: (row) => <From row={row} /> },
    ],
    [t],
  )
  return <DataTable label={t('integration.target')} columns={columns} rows={rows} rowId={({ path }) => path} />
}

function From({ row: { kind, text, to } }: { row: TargetRow }): ReactNode {
  const { t } = useLanguage()
  if (to === undefined) return t(`target.${kind}`, { text })
  return (
    <>
      {t(`target.${kind}`, { text })}{' '}
      {to.includes('.') ? (
        <code>{to}</code>
      ) : (
        <TextLink to="/integrations/$name" params={{ name: to }}>
          {to}
        </TextLink>
      )}
    </>
  )
}
