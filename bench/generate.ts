/**
 * Operations to measure with: seeded, so that every run has the same; by several authors; wire texts of about 700 bytes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Identity, Operation } from "../mod.ts";

const AUTHORS = 8;
/** What texts are made of. */
export const WORDS: readonly string[] =
  "calendar note photo message contact gym office lunch train home late early café 東京 naïve 🙂"
    .split(" ");

/** One of the authors, by number. */
export function author(n: number): Identity {
  return Identity.fromSeed(new Uint8Array(createHash("sha256").update(`author ${n}`).digest()));
}

/** Numbers below a limit, the same in every run (xorshift32, Marsaglia 2003). */
export function seeded(seed: number): (limit: number) => number {
  return (limit) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % limit;
  };
}

/** Operations of which each follows one or two of the last heads, as nodes that synchronize now and then write them. */
export function* generate(count: number): Generator<Operation> {
  const random = seeded(20261122);
  const signers = Array.from({ length: AUTHORS }, (_, n) => author(n));
  const heads: string[] = [];
  for (let n = 0; n < count; n++) {
    const prev = heads.splice(0, Math.min(heads.length, heads.length > 6 ? 2 : 1));
    const body = {
      source: ["calendar", "notes", "photos"][random(3)],
      kind: "event",
      content: {
        title: Array.from({ length: 6 + random(26) }, () => WORDS[random(WORDS.length)]).join(" "),
        n,
        flag: random(2) === 0,
        tags: [WORDS[random(8)], WORDS[8 + random(8)]],
        none: null,
        size: random(2 ** 31),
      },
    };
    const draft = { type: "evidence.add", body, prev: prev.sort(), ts: 1_718_000_000_000 + n * 137 };
    const op = Operation.create(draft, signers[random(AUTHORS)]);
    heads.push(op.opId);
    if (random(5) === 0 && prev.length > 0) heads.push(prev[0]); // somebody else has not seen it yet
    yield op;
  }
}

/** The key of a claim from which many were derived. */
export const ROOT_KEY = "root";
/** The key of the nth topic's item. */
export const itemKey = (topic: number, item: number): string => `topic${topic}.item${item}`;

/**
 * A history of claims: half of it evidence; almost half claims derived from up to three recent operations, on `count` /
 * 20 keys with five values each; one in a hundred a refute or a correction; and one claim from which `dependents` others
 * are derived.
 */
export function* generateClaims(count: number, dependents: number): Generator<Operation> {
  const random = seeded(20261123);
  const signers = Array.from({ length: AUTHORS }, (_, n) => author(n));
  const recent: string[] = [];
  const every = Math.max(1, Math.floor(count / dependents));
  let [root, last] = ["", ""];
  for (let n = 0; n < count; n++) {
    const inputs = new Set<string>();
    for (let i = random(3); i >= 0 && recent.length > 0; i--) inputs.add(recent[random(recent.length)]);
    const key = itemKey(random(50), random(Math.max(10, Math.floor(count / 1000))));
    const value = ["green tea", "coffee", true, 42, { cups: [1, 2, 3] }][random(5)];
    const claim = { confidence_ppm: random(1_000_001), deriver: { id: `deriver${random(10)}`, version: "1" } };
    const chance = random(1000);
    const [type, body] = n === 0
      ? ["claim.assert", { key: ROOT_KEY, value, ...claim, inputs: [] }]
      : n % every === 0
      ? ["claim.assert", { key, value: n, ...claim, inputs: [root] }]
      : chance < 500
      ? ["evidence.add", { source: "calendar", kind: "event", content: { title: WORDS[random(WORDS.length)], n } }]
      : chance < 980
      ? ["claim.assert", { key, value, ...claim, inputs: [...inputs] }]
      : chance < 985
      ? ["claim.refute", { key, scope: "value", value }]
      : chance < 990
      ? ["claim.correct", { key, value }]
      : ["note", { n }];
    const draft = { type: type as string, body: body as Record<string, unknown>, ts: 1_718_000_000_000 + n * 137 };
    const op = Operation.create({ ...draft, prev: last === "" ? [] : [last] }, signers[random(AUTHORS)]);
    yield op;
    last = op.opId;
    if (n === 0) root = op.opId;
    if (n % every === 0) continue; // nothing else is to fall with the first
    if (recent.length < 1000) recent.push(last);
    else recent[random(1000)] = last;
  }
}

/**
 * A chain of claims, each derived from the one before it, and claims that are each derived from the whole chain.
 *
 * @param length How many claims the chain has; the first is of {@linkcode ROOT_KEY}.
 * @param summaries How many claims are derived from all of them.
 */
export function* generateChain(length: number, summaries: number): Generator<Operation> {
  const signer = author(0);
  const chain: string[] = [];
  const deriver = { id: "bench", version: "1" };
  for (let n = 0; n < length + summaries; n++) {
    const inputs = n < length ? chain.slice(-1) : chain;
    const body = { key: n === 0 ? ROOT_KEY : `claim${n}`, value: n, confidence_ppm: 500_000, deriver, inputs };
    const op = Operation.create({ type: "claim.assert", body, ts: 1_718_000_000_000 + n }, signer);
    if (n < length) chain.push(op.opId);
    yield op;
  }
}

/** Writes the wire texts of operations as JSON lines. */
export function writeLines(path: string, ops: Iterable<Operation>): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  let lines = "";
  const flush = () => {
    for (let bytes = encoder.encode(lines); bytes.length > 0;) bytes = bytes.subarray(file.writeSync(bytes));
    lines = "";
  };
  for (const op of ops) {
    lines += op.wire + "\n";
    if (lines.length > 1 << 20) flush();
  }
  flush();
}
