/** `sluice/node`: Sluice behind Node's own HTTP server, Express and the like. */
export { type NodeHandler, toNodeHandler } from './http/node.ts'
