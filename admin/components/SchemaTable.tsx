/** What an object has to look like, field by field. */
import { type ReactNode, useMemo } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { fieldsOf, type SchemaField } from '../json/schema.ts'
import { type Column, DataTable } from './DataTable.tsx'
import { Plain } from './Plain.tsx'

export function SchemaTable({ schema }: { schema: Record<string, unknown> }): ReactNode {
  const { t } = useLanguage()
  const fields = useMemo(() => fieldsOf(schema), [schema])
  const columns = useMemo(
    (): Column<SchemaField>[] => [
      { id: 'path', header: t('schema.field'), cell: ({ path }) => <code>{path}</code> },
      { id: 'type', header: t('schema.type'), cell: ({ type }) => type },
      { id: 'required', header: t('schema.required'), cell: ({ isRequired }) => t(isRequired ? 'common.yes' : 'common.no') },
      { id: 'notes', header: t('schema.notes'), cell: ({ notes }) => <Plain text={notes} /> },
    ],
    [t],
  )
  return <DataTable label={t('integration.schema')} columns={columns} rows={fields} rowId={({ path }) => path} />
}
