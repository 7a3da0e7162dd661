/** What is wrong with a message, place by place. */
import { List } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Issue } from '../../src/http/contract/index.ts'
import { Code } from './Code.tsx'
import { Plain } from './Plain.tsx'

export function IssueList({ issues }: { issues: readonly Issue[] }): ReactNode {
  return (
    <List size="sm">
      {issues.map(({ pointer, parameter, code, message }) => (
        <List.Item key={`${pointer}${parameter}${code}${message}`}>
          <Plain text={pointer ?? parameter ?? ''} mono /> <Code of="issue" code={code} /> · <Plain text={message} />
        </List.Item>
      ))}
    </List>
  )
}
