/**
 * Finds the support of claims whose inputs have changed, and of all that was derived from them.
 *
 * What can change is loaded with a few statements, whatever its size: the claims whose inputs changed, then, where that
 * changes what they do to others, every claim below them. Each claim is then evaluated once, after its inputs, so that the
 * cost is one look at each of their edges.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged } from "../derived/damage.ts";
import { Standing, Support } from "./encoding.ts";
import { isBefore, type Ranked } from "./order.ts";

/** What an input does to what was derived from it: nothing, or it is pending, or it fell. */
export type Condition = typeof Support[keyof typeof Support];

/** An input, as far as it matters to what was derived from it. */
export interface InputState extends Ranked {
  /** What it does to what was derived from it. */
  condition: Condition;
}

/** A claim's support, and the input that took it away. */
export interface Supported {
  /** How it stands by its inputs. */
  support: Condition;
  /** The `seq` of the input with which it fell. */
  via: number | null;
}

/** A claim whose support, or `via`, is another now. */
export interface Settled {
  /** The claim. */
  readonly claim: Ranked;
  /** The number of its group. */
  readonly group: number;
  /** How the group stands. */
  readonly standing: number;
  /** What was. */
  readonly before: Supported;
  /** What is. */
  readonly now: Supported;
}

const COLUMNS = "SELECT claim.seq, claim.op_id, claim.depth, claim.value, missing, support, via, inputs, standing ";
const JOIN_GROUP = "CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value ";
const SELECT_CLAIMS = COLUMNS + "FROM json_each(?) AS wanted CROSS JOIN mnema_claims AS claim " +
  "ON claim.seq = wanted.value " + JOIN_GROUP;
// Below a claim that cannot change in the direction of a change nothing changes: ?2 is the worst that one fell to, and
// ?3 whether one rose.
const SELECT_BELOW = "WITH RECURSIVE below (seq) AS (SELECT value FROM json_each(?1) UNION " +
  "SELECT edge.claim FROM below CROSS JOIN mnema_claims AS claim ON claim.seq = below.seq " + JOIN_GROUP +
  `AND standing = ${Standing.upheld} AND (support < ?2 OR (?3 AND (support = ${Support.invalidated} ` +
  `OR (support = ${Support.pending} AND missing = 0)))) CROSS JOIN mnema_edges AS edge ON edge.input = below.seq) ` +
  COLUMNS + "FROM below CROSS JOIN mnema_claims AS claim ON claim.seq = below.seq " + JOIN_GROUP;
const SELECT_UNSOUND = "SELECT claim.seq, op_id, depth, support, standing FROM json_each(?) AS wanted " +
  "CROSS JOIN mnema_claims AS claim ON claim.seq = wanted.value " + JOIN_GROUP + "WHERE support > 0 OR standing > 0";

type Row = [number, string, number, number, number, Condition, number | null, string, number];

/** A claim that may change. */
interface Node extends InputState {
  readonly group: number;
  readonly standing: number;
  readonly missing: number;
  readonly before: Supported;
  inputs: readonly number[];
  now: Supported;
  /** How many of its inputs were looked at before it: -1 before the first, Infinity when it was evaluated. */
  visited: number;
}

/**
 * Finds what changes with claims whose inputs have changed.
 *
 * @param connection The log's file. The tables have all but the support of these claims, and of those below them.
 * @param seeds The `seq` of the claims.
 */
export function settle(connection: Connection, seeds: ReadonlySet<number>): Settled[] {
  if (seeds.size === 0) return [];
  const graph = new Graph(connection);
  graph.load(SELECT_CLAIMS, [...seeds]);
  const turned: number[] = [];
  let [worst, rises]: [Condition, boolean] = [Support.sound, false];
  for (const node of graph.nodes()) {
    node.now = graph.evaluate(node);
    const condition = conditionOf(node.now.support, node.standing);
    if (condition === node.condition) continue;
    turned.push(node.seq);
    if (condition < node.condition) rises = true;
    else if (condition > worst) worst = condition;
  }
  if (turned.length > 0) {
    graph.load(SELECT_BELOW, turned, worst, Number(rises));
    graph.evaluateAll();
  }
  return graph.changes();
}

/** A claim's support by its inputs. The first that fell, in the order of replay, is the one it fell with. */
export function supported(missing: number, unsound: Iterable<InputState>): Supported {
  let fallen: InputState | undefined;
  let lacks = missing > 0;
  for (const input of unsound) {
    lacks = true;
    if (input.condition !== Support.invalidated) continue;
    if (fallen === undefined || isBefore(input, fallen)) fallen = input;
  }
  if (fallen !== undefined) return { support: Support.invalidated, via: fallen.seq };
  return { support: lacks ? Support.pending : Support.sound, via: null };
}

/** What a claim does to what was derived from it. */
export function conditionOf(support: Condition, standing: number): Condition {
  return standing !== Standing.upheld ? Support.invalidated : support;
}

/** Claims that may change, and the inputs of theirs that cannot. */
class Graph {
  readonly #connection: Connection;
  readonly #nodes = new Map<number, Node>();
  /** Inputs that are not sound, and are not among the claims. */
  readonly #unsound = new Map<number, InputState>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  /** Loads claims, and the inputs that are not among them. */
  load(sql: string, seqs: readonly number[], ...parameters: number[]): void {
    const added: Node[] = [];
    for (const row of this.#connection.query(sql).values<Row>(JSON.stringify(seqs), ...parameters)) {
      const [seq, opId, depth, group, missing, support, via, inputs, standing] = row;
      if (this.#nodes.has(seq)) continue;
      const before = { support, via };
      const condition = conditionOf(support, standing);
      const node = { seq, opId, depth, condition, group, standing, missing, before, now: before, visited: -1 };
      const length = added.push({ ...node, inputs: this.#parseInputs(seq, inputs) });
      this.#nodes.set(seq, added[length - 1]);
    }
    const outside = new Set<number>();
    for (const { inputs } of added) for (const seq of inputs) if (!this.#nodes.has(seq)) outside.add(seq);
    if (outside.size === 0) return;
    const rows = this.#connection.query(SELECT_UNSOUND)
      .values<[number, string, number, Condition, number]>(JSON.stringify([...outside]));
    for (const [seq, opId, depth, support, standing] of rows) {
      this.#unsound.set(seq, { seq, opId, depth, condition: conditionOf(support, standing) });
    }
  }

  /** A claim's support by its inputs as they are now. */
  evaluate({ missing, inputs }: Node): Supported {
    return supported(missing, this.#unsoundOf(inputs));
  }

  /** Evaluates every claim after its inputs. */
  evaluateAll(): void {
    for (const node of this.#nodes.values()) {
      if (node.visited < 0) this.#evaluateAfterInputs(node);
    }
  }

  /** The claims that have changed. */
  changes(): Settled[] {
    return [...this.#nodes.values()]
      .filter(({ before, now }) => before.support !== now.support || before.via !== now.via)
      .map((node) => ({ claim: node, group: node.group, standing: node.standing, before: node.before, now: node.now }));
  }

  /** Depth first, without recursion: a chain may be as long as the log. */
  #evaluateAfterInputs(first: Node): void {
    const path = [first];
    first.visited = 0;
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      if (node.visited < node.inputs.length) {
        const input = this.#nodes.get(node.inputs[node.visited++]);
        if (input === undefined || input.visited === Infinity) continue;
        if (input.visited >= 0) { // it is below itself, which no operation can be
          throw derivedDamaged(this.#connection, `the claim at seq ${input.seq} was derived from itself`);
        }
        input.visited = 0;
        path.push(input);
      } else {
        node.now = this.evaluate(node);
        node.condition = conditionOf(node.now.support, node.standing);
        node.visited = Infinity;
        node.inputs = []; // there may be millions
        path.pop();
      }
    }
  }

  #parseInputs(seq: number, list: string): number[] {
    try {
      return JSON.parse(`[${list}]`);
    } catch {
      throw derivedDamaged(this.#connection, `mnema_claims has no list of inputs for the claim at seq ${seq}`);
    }
  }

  *#unsoundOf(inputs: readonly number[]): Generator<InputState> {
    for (const seq of inputs) {
      const input = this.#nodes.get(seq) ?? this.#unsound.get(seq);
      if (input !== undefined && input.condition !== Support.sound) yield input;
    }
  }
}
