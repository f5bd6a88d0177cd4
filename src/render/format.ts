/**
 * An {@linkcode Explanation} as a tree to read, as a graph to look at, and as JSON.
 *
 * @module
 */

export { limitDepth } from "./depth.ts";
export { formatDot } from "./dot.ts";
export { formatJson } from "./json.ts";
export { formatMermaid } from "./mermaid.ts";
export { formatTree, treeLines, type TreeOptions, type TreeStyle } from "./tree.ts";
