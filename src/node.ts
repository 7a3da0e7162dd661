/** `sluice/node`: Sluice on Node's own HTTP server, and in Express. */
export { type NodeHandler, toNodeHandler } from './http/node.ts'
