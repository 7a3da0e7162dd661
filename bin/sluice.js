#!/usr/bin/env node
// The installed program. In the repository itself: node src/cli/main.ts
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`sluice: Node ${process.versions.node} is too old, it needs 22.18 or newer.\n`)
  process.exit(2)
}
await import('../dist/cli/main.js')
