/**
 * A graph as an SVG picture. Something else decides where nodes and edges are: `layout/`, or {@linkcode rowPositions}.
 *
 * What a node is, it says in words and by its shape; colours only repeat it. All text comes from operations, and is
 * escaped. The picture has no scripts, no ids, and nothing from elsewhere.
 *
 * @module
 */

import { visibleLine } from "../text.ts";
import type { Graph, GraphClass, GraphEdge, GraphNode } from "./graph.ts";
import { displayWidth } from "./width.ts";

/** A point, in pixels; y grows downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The size of a box, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where the nodes and the edges of a graph are. */
export interface Positions extends Size {
  /** The middle of each node. */
  readonly nodes: readonly Point[];
  /**
   * Each edge as a curve: its start, then for each cubic Bézier segment two control points and the end. One without points
   * is not drawn.
   */
  readonly edges: readonly (readonly Point[])[];
  /** Frames around nodes that share an edge: the middle and the size of each. */
  readonly frames?: readonly (Point & Size)[];
}

/** Options of {@linkcode drawSvg}. */
export interface SvgOptions {
  /** The address that a node links to; without it, or when it is undefined, the node is no link. */
  href?: (opId: string) => string | undefined;
  /** Whether the picture brings {@linkcode SVG_STYLE}: by default it does. */
  style?: boolean;
}

const FONT_SIZE = 12;
/** The width of a column of a monospaced font of that size. */
const COLUMN = 7.3;
const LINE = 17;
const PADDING = { x: 16, y: 9 };
const MARGIN = 8;
/** The size of cut corners and of arrow heads. */
const CORNER = 8;

/** The sizes of the nodes of a graph. */
export function nodeSizes({ nodes }: Graph): Size[] {
  return nodes.map((node) => {
    const lines = linesOf(node);
    const columns = Math.max(...lines.map(displayWidth));
    return { width: Math.ceil(columns * COLUMN) + 2 * PADDING.x, height: lines.length * LINE + 2 * PADDING.y };
  });
}

/**
 * Draws a graph.
 *
 * @param graph The graph; its first node is the explained claim.
 * @param positions Where its nodes and edges are.
 * @param options Links and style.
 * @returns An `svg` element, as a line.
 */
export function drawSvg(graph: Graph, positions: Positions, options: SvgOptions = {}): string {
  const { href, style = true } = options;
  const width = Math.ceil(positions.width) + 2 * MARGIN;
  const height = Math.ceil(positions.height) + 2 * MARGIN;
  const sizes = nodeSizes(graph);
  const title = `Why ${spoken(graph.nodes[0])}`;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "mnema-graph",
      role: href === undefined ? "img" : "group",
      "aria-label": title,
      width,
      height,
      viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`,
      "font-family": "ui-monospace, monospace",
      "font-size": FONT_SIZE,
    },
    element("title", {}, escape(title)),
    style ? element("style", {}, SVG_STYLE) : "",
    ...positions.frames?.map(drawFrame) ?? [],
    ...graph.edges.map((edge, i) => drawEdge(edge, positions.edges[i])),
    ...graph.nodes.map((node, i) => drawNode(node, i === 0, positions.nodes[i], sizes[i], href?.(node.opId))),
  );
}

function drawFrame(frame: Point & Size): string {
  const d = rounded(CORNER)(frame, frame);
  return element("path", { class: "frame", fill: "none", stroke: "currentColor", ...DOTTED, d });
}

function drawEdge({ kind, isOnPath }: GraphEdge, points: readonly Point[]): string {
  if (points.length === 0) return "";
  const [start, ...rest] = points;
  const curve = rest.length === 0 ? "" : `C${rest.map(pair).join(" ")}`;
  const className = classes("edge", kind, isOnPath && "on-path");
  const attributes = { class: className, fill: "none", stroke: "currentColor", ...kind !== "input" && DASHED };
  return element("path", { ...attributes, d: `M${pair(start)}${curve}` }) +
    element("path", { class: classes("arrow", isOnPath && "on-path"), fill: "currentColor", d: arrowHead(points) });
}

/** An arrow head at the end of a curve, in the direction of its last part. */
function arrowHead(points: readonly Point[]): string {
  const end = points[points.length - 1];
  const before = points.findLast(({ x, y }) => x !== end.x || y !== end.y) ?? { x: end.x, y: end.y + 1 };
  const length = Math.hypot(end.x - before.x, end.y - before.y);
  const [dx, dy] = [(end.x - before.x) / length, (end.y - before.y) / length];
  const side = (sign: number) => ({
    x: end.x - CORNER * dx + sign * CORNER / 2 * dy,
    y: end.y - CORNER * dy - sign * CORNER / 2 * dx,
  });
  return `M${pair(end)}L${pair(side(1))} ${pair(side(-1))}Z`;
}

function drawNode(node: GraphNode, isRoot: boolean, at: Point, size: Size, href: string | undefined): string {
  const lines = linesOf(node);
  const top = at.y - (lines.length - 1) * LINE / 2 + FONT_SIZE * 0.35;
  const shape = SHAPES[node.class];
  const className = classes("node", node.class, isRoot && "root", node.isOnPath && "on-path");
  const drawn = element("title", {}, escape(spoken(node))) +
    element("path", { d: shape.outline(at, size), fill: "#fff", stroke: "#333", ...shape.attributes }) +
    lines.map((line, i) => {
      const attributes = {
        class: i === 0 ? "first" : i >= node.label.length ? "more" : undefined,
        x: round(at.x),
        y: round(top + i * LINE),
        "text-anchor": "middle",
        direction: "ltr",
        // Another font has other widths: the text stays within the node.
        textLength: round(displayWidth(line) * COLUMN),
        lengthAdjust: "spacingAndGlyphs",
      };
      return element("text", attributes, escape(line));
    }).join("");
  if (href === undefined) return element("g", { class: className, role: "img", "aria-label": spoken(node) }, drawn);
  return element("a", { class: className, href }, drawn); // its title is its name
}

/** The lines of a node: its label, and how much is not shown. */
function linesOf({ label, more }: GraphNode): string[] {
  const lines = label.map(visibleLine);
  return more === 0 ? lines : [...lines, `${more} more below`];
}

/** What a screen reader says. */
function spoken(node: GraphNode): string {
  return linesOf(node).join(", ");
}

/** How a class of nodes is drawn. */
interface Shape {
  /** The outline, as the data of a path. */
  outline(at: Point, size: Size): string;
  /** Attributes of the path. */
  attributes?: Readonly<Record<string, string | number>>;
}

const DASHED = { "stroke-dasharray": "6 4" };
const DOTTED = { "stroke-dasharray": "2 4" };

const SHAPES: Record<GraphClass, Shape> = {
  active: { outline: rounded(3) },
  superseded: { outline: rounded(Infinity) },
  pending: { outline: rounded(3), attributes: DASHED },
  invalidated: { outline: cut, attributes: DASHED },
  corrected: { outline: cut },
  refuted: { outline: cut, attributes: { "stroke-width": 3 } },
  evidence: { outline: folded },
  other: { outline: rounded(0) },
  missing: { outline: rounded(0), attributes: DOTTED },
  verdict: { outline: pointed, attributes: { "stroke-width": 3 } },
};

function rounded(radius: number): Shape["outline"] {
  return ({ x, y }, { width, height }) => {
    const r = Math.min(radius, height / 2);
    const [left, top] = [x - width / 2, y - height / 2];
    const corner = (dx: number, dy: number) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
    return `M${round(left + r)} ${round(top)}h${width - 2 * r}${corner(r, r)}v${height - 2 * r}${corner(-r, r)}` +
      `h${2 * r - width}${corner(-r, -r)}v${2 * r - height}${corner(r, -r)}z`;
  };
}

/** A box with cut corners. */
function cut({ x, y }: Point, { width, height }: Size): string {
  const [w, h] = [width - 2 * CORNER, height - 2 * CORNER];
  return `M${round(x - w / 2)} ${round(y - height / 2)}h${w}l${CORNER} ${CORNER}v${h}l${-CORNER} ${CORNER}` +
    `h${-w}l${-CORNER} ${-CORNER}v${-h}z`;
}

/** A sheet with a folded corner. */
function folded({ x, y }: Point, { width, height }: Size): string {
  const [left, top] = [round(x - width / 2), round(y - height / 2)];
  return `M${left} ${top}h${width - CORNER}l${CORNER} ${CORNER}v${height - CORNER}h${-width}z` +
    `M${round(x + width / 2 - CORNER)} ${top}v${CORNER}h${CORNER}`;
}

/** A box with pointed sides. */
function pointed({ x, y }: Point, { width, height }: Size): string {
  const w = width - 2 * CORNER;
  return `M${round(x - w / 2)} ${round(y - height / 2)}h${w}l${CORNER} ${height / 2}l${-CORNER} ${height / 2}` +
    `h${-w}l${-CORNER} ${-height / 2}z`;
}

/** Colours: fill, outline, text. */
type Colors = readonly [fill: string, stroke: string, text: string];

const LIGHT: Record<GraphClass, Colors> = {
  active: ["#e6f4ea", "#137333", "#202124"],
  superseded: ["#f1f3f4", "#5f6368", "#3c4043"],
  pending: ["#fef7e0", "#8a4b00", "#202124"],
  invalidated: ["#fce8e6", "#b3261e", "#202124"],
  corrected: ["#fce8e6", "#b3261e", "#202124"],
  refuted: ["#fce8e6", "#b3261e", "#202124"],
  evidence: ["#e8f0fe", "#1967d2", "#202124"],
  other: ["#ffffff", "#5f6368", "#202124"],
  missing: ["#ffffff", "#8a4b00", "#8a4b00"],
  verdict: ["#b3261e", "#7f1d17", "#ffffff"],
};

const DARK: Record<GraphClass, Colors> = {
  active: ["#12321f", "#81c995", "#e8eaed"],
  superseded: ["#2a2c2f", "#9aa0a6", "#c7cace"],
  pending: ["#3a2c10", "#fdd663", "#e8eaed"],
  invalidated: ["#43201d", "#f28b82", "#e8eaed"],
  corrected: ["#43201d", "#f28b82", "#e8eaed"],
  refuted: ["#43201d", "#f28b82", "#e8eaed"],
  evidence: ["#17294a", "#8ab4f8", "#e8eaed"],
  other: ["#1f2023", "#9aa0a6", "#e8eaed"],
  missing: ["#1f2023", "#fdd663", "#fdd663"],
  verdict: ["#f28b82", "#f6aea9", "#202124"],
};

/** The style of the picture, for light and for dark: for a style sheet of a page that contains it without its own. */
export const SVG_STYLE: string = styleSheet();

function styleSheet(): string {
  const rules = (colors: Record<GraphClass, Colors>) =>
    Object.entries(colors).map(([name, [fill, stroke, text]]) =>
      `.mnema-graph .node.${name} path{fill:${fill};stroke:${stroke}}.mnema-graph .node.${name} text{fill:${text}}`
    ).join("");
  return ".mnema-graph{color:#5f6368}.mnema-graph .on-path{color:#b3261e}.mnema-graph .edge.on-path{stroke-width:2.5}" +
    ".mnema-graph .first{font-weight:bold}.mnema-graph .more{font-style:italic}" +
    ".mnema-graph text{unicode-bidi:isolate}.mnema-graph .root path{stroke-width:3}" +
    ".mnema-graph a{text-decoration:none}.mnema-graph a:hover .first{text-decoration:underline}" +
    ".mnema-graph a:focus-visible path{stroke-width:4}" +
    rules(LIGHT) +
    `@media (prefers-color-scheme:dark){.mnema-graph{color:#9aa0a6}.mnema-graph .on-path{color:#f28b82}${rules(DARK)}}`;
}

function classes(...names: (string | false)[]): string {
  return names.filter((name) => name !== false).join(" ");
}

function pair({ x, y }: Point): string {
  return `${round(x)},${round(y)}`;
}

/** To a hundredth of a pixel. */
function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const listed = Object.entries(attributes).flatMap(([attribute, value]) =>
    value === undefined ? [] : ` ${attribute}="${escape(String(value))}"`
  );
  return `<${name}${listed.join("")}>${content.join("")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Characters that are not allowed in XML, even as references. Lone surrogates are replaced beforehand. */
const FORBIDDEN = /[[\p{Cc}\ufffe\uffff]--[\t\n\r]]/gv;

/** Escapes text for an element or an attribute, in XML and in HTML. */
function escape(text: string): string {
  return text.toWellFormed().replaceAll(FORBIDDEN, "\ufffd").replaceAll(/[&<>"]/g, (character) => ENTITIES[character]);
}
