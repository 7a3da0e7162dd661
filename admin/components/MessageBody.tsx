/** The exact body of a message: laid out where it is JSON of a bearable size, else its text by parts; and its download. */
import { Button, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Message } from '../../src/http/contract/index.ts'
import { bodyQuery, mostWhole, partSize } from '../api/body.ts'
import { apiUrl } from '../api/http.ts'
import { useLanguage } from '../i18n/language.tsx'
import { JsonLines } from './JsonLines.tsx'
import { Loaded } from './Loaded.tsx'
import { Plain } from './Plain.tsx'
import { ScrollBox } from './ScrollBox.tsx'

interface MessageBodyProps {
  message: Message
  /** From 0, of a large body. */
  part: number
  onPart(part: number): void
  /** JSON Pointer of a place to show. */
  place: string | undefined
}

export function MessageBody({ message, part, onPart, place }: MessageBodyProps): ReactNode {
  const { t, format } = useLanguage()
  const isLarge = message.bodySize > mostWhole
  const body = useQuery(bodyQuery(message.id, isLarge ? part : null))
  const parts = Math.ceil(message.bodySize / partSize)
  return (
    <Stack gap="xs">
      <Group>
        <Text size="sm">{format.bytes(message.bodySize)}</Text>
        <Button component="a" href={apiUrl(`messages/${message.id}/body`).href} download variant="default" size="xs">
          {t('messagePage.download')}
        </Button>
      </Group>
      {isLarge && (
        <>
          <Text size="sm">{t('messagePage.bodyTooLarge')}</Text>
          <Group>
            <Button size="xs" variant="default" disabled={part === 0} onClick={() => onPart(part - 1)}>
              {t('messagePage.previousPart')}
            </Button>
            <Text size="sm">{t('messagePage.part', { part: part + 1, parts })}</Text>
            <Button size="xs" variant="default" disabled={part >= parts - 1} onClick={() => onPart(part + 1)}>
              {t('messagePage.nextPart')}
            </Button>
          </Group>
        </>
      )}
      <Loaded query={body}>
        {({ text, type }) =>
          !isLarge && type.startsWith('application/json') ? (
            <JsonLines text={text} label={t('messagePage.body')} mark={place} />
          ) : (
            <ScrollBox label={t('messagePage.body')}>
              <Plain text={text} limit={partSize} />
            </ScrollBox>
          )
        }
      </Loaded>
    </Stack>
  )
}
