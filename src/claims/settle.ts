/**
 * Propagates changes of support: from claims whose inputs have changed to all claims derived from them.
 *
 * A constant number of statements loads the claims that can change: those whose inputs changed, then, if the condition of
 * any of them changes, every claim below. Each claim is evaluated once, after its inputs: the time is linear in the edges.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged } from "../derived/damage.ts";
import { Standing, Support } from "./encoding.ts";
import { isBefore, type Ranked } from "./order.ts";

/** The effect of an input on the claims derived from it: none, pending, or invalidated. */
export type Condition = typeof Support[keyof typeof Support];

/** An input and its condition. */
export interface InputState extends Ranked {
  /** Its effect on the claims derived from it. */
  condition: Condition;
}

/** The support of a claim, and the input that invalidates it. */
export interface Supported {
  /** Its support by its inputs. */
  support: Condition;
  /** The `seq` of the input that invalidates it. */
  via: number | null;
}

/** A claim whose support, or `via`, has changed. */
export interface Settled {
  /** The claim. */
  readonly claim: Ranked;
  /** The id of its group. */
  readonly group: number;
  /** The verdict on the group. */
  readonly standing: number;
  /** The old support. */
  readonly before: Supported;
  /** The new support. */
  readonly now: Supported;
}

const COLUMNS = "SELECT claim.seq, claim.op_id, claim.depth, claim.value, missing, support, via, inputs, standing ";
const JOIN_GROUP = "CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value ";
const SELECT_CLAIMS = COLUMNS + "FROM json_each(?) AS wanted CROSS JOIN mnema_claims AS claim " +
  "ON claim.seq = wanted.value " + JOIN_GROUP;
// The search does not go below claims that no change can affect. ?2 is the worst condition that a claim has changed to,
// and ?3 whether the condition of any claim has improved.
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
  /** The number of its inputs visited so far: -1 before the visit starts, Infinity after it was evaluated. */
  visited: number;
}

/**
 * Computes the changes of support that follow from changed inputs.
 *
 * @param connection The log's file. Its tables are up to date except for the support of these claims and of those below.
 * @param seeds The `seq` of the claims whose inputs have changed.
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

/** The support of a claim by its unsound inputs. `via` is the first invalidated one in replay order. */
export function supported(missing: number, unsound: Iterable<InputState>): Supported {
  let invalidated: InputState | undefined;
  let isPending = missing > 0;
  for (const input of unsound) {
    isPending = true;
    if (input.condition !== Support.invalidated) continue;
    if (invalidated === undefined || isBefore(input, invalidated)) invalidated = input;
  }
  if (invalidated !== undefined) return { support: Support.invalidated, via: invalidated.seq };
  return { support: isPending ? Support.pending : Support.sound, via: null };
}

/** The effect of a claim on the claims derived from it. */
export function conditionOf(support: Condition, standing: number): Condition {
  return standing !== Standing.upheld ? Support.invalidated : support;
}

/** The claims that may change, and their other inputs. */
class Graph {
  readonly #connection: Connection;
  readonly #nodes = new Map<number, Node>();
  /** Unsound inputs that are not among the claims. */
  readonly #unsound = new Map<number, InputState>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  /** Loads claims and their inputs. */
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

  /** The support of a claim by the current condition of its inputs. */
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
        if (input.visited >= 0) { // a cycle, impossible between content-addressed operations
          throw derivedDamaged(this.#connection, `the claim at seq ${input.seq} is derived from itself`);
        }
        input.visited = 0;
        path.push(input);
      } else {
        node.now = this.evaluate(node);
        node.condition = conditionOf(node.now.support, node.standing);
        node.visited = Infinity;
        node.inputs = []; // to free memory: there may be millions
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
