/** The filters of a list. They take effect when the form is sent, and stand in the URL. */
import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLanguage } from '../i18n/language.tsx'

export interface Filter {
  name: string
  label: string
  /** Default: text. A moment is ISO 8601 in the URL, local time in the form. */
  kind?: 'text' | 'moment'
  /** What can be chosen, beside everything. */
  choices?: readonly { value: string; label: string }[]
  /** What choosing nothing means. Default: all. */
  otherwise?: string
}

export type FilterValues = Record<string, string | undefined>

interface FilterBarProps {
  filters: readonly Filter[]
  values: FilterValues
  onApply(values: FilterValues): void
}

/** Remounted whenever the URL has other filters, so that the form shows them. */
export function FilterBar(props: FilterBarProps): ReactNode {
  return <FilterForm key={JSON.stringify(props.filters.map(({ name }) => props.values[name]))} {...props} />
}

function FilterForm({ filters, values, onApply }: FilterBarProps): ReactNode {
  const { t } = useLanguage()
  const [draft, setDraft] = useState<FilterValues>(() =>
    Object.fromEntries(filters.map(({ name, kind }) => [name, kind === 'moment' ? toLocal(values[name]) : values[name]])),
  )
  const isFiltered = filters.some(({ name }) => values[name] !== undefined)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onApply(Object.fromEntries(filters.map(({ name, kind }) => [name, kind === 'moment' ? fromLocal(draft[name]) : draft[name]?.trim()])))
  }
  const set = (name: string, value: string): void => setDraft((before) => ({ ...before, [name]: value }))
  return (
    <form onSubmit={submit} aria-label={t('common.filters')}>
      <Group align="flex-end" gap="sm">
        {filters.map(({ name, label, kind = 'text', choices, otherwise }) =>
          choices === undefined ? (
            <TextInput
              key={name}
              label={label}
              type={kind === 'moment' ? 'datetime-local' : 'text'}
              value={draft[name] ?? ''}
              onChange={(event) => set(name, event.currentTarget.value)}
            />
          ) : (
            <NativeSelect
              key={name}
              label={label}
              value={draft[name] ?? ''}
              onChange={(event) => set(name, event.currentTarget.value)}
              data={[{ value: '', label: otherwise ?? t('common.all') }, ...choices]}
            />
          ),
        )}
        <Button type="submit">{t('common.apply')}</Button>
        {isFiltered && (
          <Button variant="default" onClick={() => onApply({})}>
            {t('common.clear')}
          </Button>
        )}
      </Group>
    </form>
  )
}

function toLocal(iso: string | undefined): string | undefined {
  if (iso === undefined) return undefined
  const moment = new Date(iso)
  if (Number.isNaN(moment.getTime())) return undefined
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function fromLocal(local: string | undefined): string | undefined {
  return local === undefined || local === '' ? undefined : new Date(local).toISOString()
}
