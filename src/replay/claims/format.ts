/**
 * An {@linkcode Explanation} as a tree to read, as a graph to look at, and as JSON.
 *
 * @module
 */

export { limitDepth } from "./format/depth.ts";
export { formatDot } from "./format/dot.ts";
export { formatJson } from "./format/json.ts";
export { formatMermaid } from "./format/mermaid.ts";
export { formatTree, treeLines, type TreeOptions, type TreeStyle } from "./format/tree.ts";
