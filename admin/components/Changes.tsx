/** What an instance changed, field by field. */
import { Stack, Table } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../i18n/language.tsx'
import { Plain } from './Plain.tsx'

export type ChangeSet = Record<string, unknown>

export function Changes({ changes }: { changes: ChangeSet }): ReactNode {
  const { t } = useLanguage()
  return (
    <Table layout="fixed" verticalSpacing={4} aria-label={t('field.changes')}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('changes.field')}</Table.Th>
          <Table.Th>{t('changes.before')}</Table.Th>
          <Table.Th>{t('changes.after')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {Object.entries(changes).map(([field, change]) => (
          <Table.Tr key={field}>
            <Table.Th scope="row">
              <Plain text={field} />
            </Table.Th>
            <ChangeCells change={change} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function ChangeCells({ change }: { change: unknown }): ReactNode {
  const { t } = useLanguage()
  const parts = typeof change === 'object' && change !== null ? (change as Record<string, unknown>) : {}
  if (Array.isArray(parts.added) || Array.isArray(parts.removed)) {
    return (
      <>
        <Table.Td>
          <Rows rows={parts.removed} word={t('changes.removed')} />
        </Table.Td>
        <Table.Td>
          <Rows rows={parts.added} word={t('changes.added')} />
        </Table.Td>
      </>
    )
  }
  return (
    <>
      <Table.Td className="before">
        <Value value={parts.before} />
      </Table.Td>
      <Table.Td>
        <Value value={parts.after} />
      </Table.Td>
    </>
  )
}

function Rows({ rows, word }: { rows: unknown; word: string }): ReactNode {
  if (!Array.isArray(rows) || rows.length === 0) return '–'
  const texts = rows.map((row) => JSON.stringify(row))
  return (
    <Stack gap={2}>
      {[...new Set(texts)].map((text) => (
        <span key={text}>
          <small>{word}</small> <Plain text={text} mono />
        </span>
      ))}
    </Stack>
  )
}

function Value({ value }: { value: unknown }): ReactNode {
  const { t } = useLanguage()
  if (value === null || value === undefined) return <em>{t('changes.nothing')}</em>
  return <Plain text={typeof value === 'string' ? value : JSON.stringify(value)} />
}
