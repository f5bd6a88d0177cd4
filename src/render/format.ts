/**
 * Formats of an {@linkcode Explanation}: a tree for a terminal, graphs, and JSON.
 *
 * @module
 */

export { limitDepth, limitNodes } from "./depth.ts";
export { formatDot } from "./dot.ts";
export { formatJson } from "./json.ts";
export { formatMermaid } from "./mermaid.ts";
export { formatTree, treeLines, type TreeOptions, type TreeStyle } from "./tree.ts";
