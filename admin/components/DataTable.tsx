/** A list as a table; on a narrow screen each row is a card. Rows can be chosen where the page says so. */
import { Checkbox, Text } from '@mantine/core'
import {
  createColumnHelper,
  functionalUpdate,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { type ReactNode, useMemo } from 'react'
import { useLanguage } from '../i18n/language.tsx'

const features = tableFeatures({ rowSelectionFeature })

/** One column: what it is called, and what stands in it. */
export interface Column<Row> {
  id: string
  header: string
  cell(row: Row): ReactNode
  isNumber?: boolean
}

export interface Selection {
  /** By id of the row. */
  chosen: RowSelectionState
  onChange(chosen: RowSelectionState): void
}

interface DataTableProps<Row> {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowId(row: Row): string
  selection?: Selection
  /** Said when there are no rows. */
  empty?: string
}

export function DataTable<Row extends object>({ label, columns, rows, rowId, selection, empty }: DataTableProps<Row>): ReactNode {
  const { t } = useLanguage()
  const defined = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>()
    return columns.map((column) => helper.display({ id: column.id, header: column.header, cell: ({ row }) => column.cell(row.original) }))
  }, [columns])
  const table = useTable({
    features,
    columns: defined,
    data: rows as Row[],
    getRowId: rowId,
    state: { rowSelection: selection?.chosen ?? {} },
    onRowSelectionChange: (updater) => selection?.onChange(functionalUpdate(updater, selection.chosen)),
  })
  if (rows.length === 0) return <Text>{empty ?? t('common.none')}</Text>
  const isNumber = new Set(columns.filter((column) => column.isNumber === true).map((column) => column.id))
  const headers = new Map(columns.map((column) => [column.id, column.header]))
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: as cards the elements are no table to a screen reader any more
    <table className="table" aria-label={label} role="table">
      <thead role="rowgroup">
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id} role="row">
            {selection !== undefined && (
              <th role="columnheader" scope="col">
                <Checkbox
                  aria-label={t('common.selectAll')}
                  checked={table.getIsAllRowsSelected()}
                  indeterminate={table.getIsSomeRowsSelected()}
                  onChange={table.getToggleAllRowsSelectedHandler()}
                />
              </th>
            )}
            {group.headers.map((header) => (
              <th key={header.id} role="columnheader" scope="col" className={isNumber.has(header.column.id) ? 'end' : undefined}>
                <table.FlexRender header={header} />
              </th>
            ))}
          </tr>
        ))}
      </thead>
      <tbody role="rowgroup">
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id} role="row" aria-selected={selection === undefined ? undefined : row.getIsSelected()}>
            {selection !== undefined && (
              <td role="cell" data-label={t('common.select')}>
                <Checkbox
                  aria-label={`${t('common.select')} ${row.id}`}
                  checked={row.getIsSelected()}
                  onChange={row.getToggleSelectedHandler()}
                />
              </td>
            )}
            {row.getAllCells().map((cell) => (
              <td
                key={cell.id}
                role="cell"
                data-label={headers.get(cell.column.id)}
                className={isNumber.has(cell.column.id) ? 'end' : undefined}
              >
                <div>
                  <table.FlexRender cell={cell} />
                </div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  )
}
