/** Language and colours. */
import { Group, type MantineColorScheme, NativeSelect, SegmentedControl, useMantineColorScheme } from '@mantine/core'
import type { ReactNode } from 'react'
import { type Language, useLanguage } from '../i18n/language.tsx'

export function Preferences(): ReactNode {
  const { language, setLanguage, t } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Group gap="xs" wrap="nowrap">
      <SegmentedControl
        size="xs"
        aria-label={t('app.language')}
        value={language}
        onChange={(value) => setLanguage(value as Language)}
        data={[
          { value: 'en', label: 'EN' },
          { value: 'ru', label: 'РУ' },
        ]}
      />
      <NativeSelect
        size="xs"
        aria-label={t('app.theme')}
        value={colorScheme}
        onChange={(event) => setColorScheme(event.currentTarget.value as MantineColorScheme)}
        data={(['auto', 'light', 'dark'] as const).map((value) => ({ value, label: t(`app.theme.${value}`) }))}
      />
    </Group>
  )
}
