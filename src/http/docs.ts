/** The API's description as a page that loads nothing: no script, no other host. */
import { createHash } from 'node:crypto'
import { type Route, routes } from './contract/routes.ts'

const style = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
code{font-family:ui-monospace,monospace;font-size:.9em}
details{border:1px solid #d0d7de;border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}
.method{display:inline-block;min-width:4rem;font-weight:600}
.roles{color:#57606a}
table{border-collapse:collapse;margin:.5rem 0}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}details{border-color:#30363d}a{color:#58a6ff}.roles{color:#8b949e}}
`

/** Allows this page its own style and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** The page. */
export function renderDocs(version: string, integrations: readonly string[]): string {
  const groups = Map.groupBy(Object.values<Route>(routes), (route) => route.group)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sluice API</title><style>${style}</style></head>
<body><h1>Sluice API</h1>
<p>Version ${escapeHtml(version)}. The same for programs, with the schemas of the integrations: <a href="openapi.json">openapi.json</a>.</p>
<p>Integrations of this server: ${integrations.map((name) => `<code>${escapeHtml(name)}</code>`).join(', ')}.</p>
<p>Send a token as <code>Authorization: Bearer …</code>. Lists are <code>{ items, next }</code>; give <code>next</code> as <code>?cursor=</code>.
Refusals are <code>application/problem+json</code> with a stable <code>code</code>.</p>
${[...groups].map(([group, ofGroup]) => `<h2>${escapeHtml(group)}</h2>\n${ofGroup.map(renderRoute).join('\n')}`).join('\n')}
</body></html>
`
}

function renderRoute({ method, path, summary, description, roles, query, body, answers, refusals }: Route): string {
  const parameters = Object.keys(query?.shape ?? {})
  const rows = [
    ['For', roles === null ? 'anybody, no token needed' : roles.join(', ')],
    ['Query', parameters.map((name) => `<code>${escapeHtml(name)}</code>`).join(' ')],
    ['Body', body === undefined ? '' : '<code>application/json</code>, see openapi.json'],
    ...Object.entries(answers).map(([status, answer]) => [status, escapeHtml(answer.description)]),
    ['Refusals', (refusals ?? []).map((code) => `<code>${escapeHtml(code)}</code>`).join(' ')],
  ].filter(([, text]) => text !== '')
  return `<details><summary><code><span class="method">${method.toUpperCase()}</span> ${escapeHtml(path)}</code> <span class="roles">${escapeHtml(summary)}</span></summary>
${description === undefined ? '' : `<p>${escapeHtml(description)}</p>`}
<table>${rows.map(([name, text]) => `<tr><th>${name}</th><td>${text}</td></tr>`).join('')}</table></details>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
