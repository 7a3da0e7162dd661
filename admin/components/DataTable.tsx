/**
 * A list as a table; on a narrow screen each row is a card. Rows can be chosen, and columns turned, where the page says so. Of
 * many rows only those in sight are in the page.
 */
import { Checkbox, Text, UnstyledButton } from '@mantine/core'
import {
  createColumnHelper,
  functionalUpdate,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react'
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

/** The order of the list, where the server can turn it: the columns that show it, each of which is a button. */
export interface Sorting {
  by: readonly string[]
  isDescending: boolean
  onTurn(): void
}

interface DataTableProps<Row> {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowId(row: Row): string
  selection?: Selection
  sorting?: Sorting
  /** Said when there are no rows. */
  empty?: string
}

/** Fewer rows are all in the page: they can be searched by the browser. */
const mostPlainRows = 100
const usualHeight = 44

export function DataTable<Row extends object>(props: DataTableProps<Row>): ReactNode {
  const { label, columns, rows, rowId, selection, sorting, empty } = props
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
  const isVirtual = rows.length > mostPlainRows
  const frame = useRef<HTMLTableElement>(null)
  const [top, setTop] = useState(0)
  // What stands above the table may come and go: looked at whenever the rows are others.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useLayoutEffect(() => setTop((frame.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [rows])
  const inSight = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => usualHeight,
    overscan: 15,
    scrollMargin: top,
    enabled: isVirtual,
  })
  if (rows.length === 0) return <Text>{empty ?? t('common.none')}</Text>
  const all = table.getRowModel().rows
  const items = inSight.getVirtualItems()
  const shown = isVirtual ? items.flatMap(({ index }) => all[index] ?? []) : all
  const above = isVirtual ? (items[0]?.start ?? top) - top : 0
  const below = isVirtual ? inSight.getTotalSize() - ((items.at(-1)?.end ?? top) - top) : 0
  const isNumber = new Set(columns.filter((column) => column.isNumber === true).map((column) => column.id))
  const headers = new Map(columns.map((column) => [column.id, column.header]))
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: as cards the elements are no table to a screen reader any more
    <table ref={frame} className="table" aria-label={label} role="table" aria-rowcount={isVirtual ? rows.length + 1 : undefined}>
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
              <th
                key={header.id}
                role="columnheader"
                scope="col"
                className={isNumber.has(header.column.id) ? 'end' : undefined}
                aria-sort={sorting?.by.includes(header.column.id) ? (sorting.isDescending ? 'descending' : 'ascending') : undefined}
              >
                {sorting?.by.includes(header.column.id) ? (
                  <UnstyledButton className="turn" onClick={sorting.onTurn}>
                    <table.FlexRender header={header} /> <span aria-hidden>{sorting.isDescending ? '↓' : '↑'}</span>
                  </UnstyledButton>
                ) : (
                  <table.FlexRender header={header} />
                )}
              </th>
            ))}
          </tr>
        ))}
      </thead>
      <tbody role="rowgroup">
        {above > 0 && <tr aria-hidden style={{ height: above }} />}
        {shown.map((row) => (
          <tr
            key={row.id}
            role="row"
            aria-selected={selection === undefined ? undefined : row.getIsSelected()}
            aria-rowindex={isVirtual ? row.index + 2 : undefined}
            data-index={row.index}
            ref={isVirtual ? inSight.measureElement : undefined}
          >
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
        {below > 0 && <tr aria-hidden style={{ height: below }} />}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  )
}
