/** Python for what is tested against a real Wagtail. */
import { spawnSync } from 'node:child_process'

/** Whether there is a Python that makes venvs and is new enough. Says so loudly where there is none. For `describe.skipIf`. */
export const hasPython = ((): boolean => {
  const check = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
  if (spawnSync('python3', ['-c', check]).status === 0) return true
  console.warn('\n!! No Python 3.11 with venv and pip: every test with a real Wagtail is SKIPPED.\n')
  return false
})()
