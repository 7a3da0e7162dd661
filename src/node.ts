/** `sluice/node`: Sluice on Node's own HTTP server, and in Express. */
export { serve, toNodeHandler } from './http/node.ts'
