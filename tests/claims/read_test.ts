import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { type ClaimFilter, LogError, NotFoundError, OpLog } from "../../mod.ts";
import { alice, bob } from "../operations.ts";
import { idOf, unsigned } from "./histories.ts";
import { asserts, byId, history, idsOf, signedLog, UNCHECKED } from "./scenarios.ts";

Deno.test("query filters by key, prefix, status, author, deriver, input, and combinations", () => {
  const { log, ids: { receipt, tea, coffee, meal, day, home } } = signedLog();
  using _ = log;
  const cases: [ClaimFilter, string[]][] = [
    [{}, [day, tea, coffee, home, meal]],
    [{ key: "drink" }, [tea, coffee]],
    [{ key: "drin" }, []],
    [{ prefix: "d" }, [day, tea, coffee]],
    [{ prefix: "" }, [day, tea, coffee, home, meal]],
    [{ prefix: "drinks" }, []],
    [{ status: "active" }, [coffee, home, meal]],
    [{ status: "superseded" }, [tea]],
    [{ status: "pending" }, [day]],
    [{ status: "refuted" }, []],
    [{ author: alice.author }, [tea, home, meal]],
    [{ author: bob.author }, [day, coffee]],
    [{ author: `mnk_${"0".repeat(64)}` }, []],
    [{ deriver: "taste" }, [tea, coffee]],
    [{ deriver: "hand" }, [day]],
    [{ deriver: "tast" }, []],
    [{ deriver: alice.author }, []],
    [{ input: receipt }, [tea]],
    [{ input: tea }, [day, meal]],
    [{ input: meal }, [day]],
    [{ input: idOf("absent") }, [day]],
    [{ input: day }, []],
    [{ input: idOf("never named") }, []],
    [{ input: tea, author: alice.author }, [meal]],
    [{ input: tea, status: "pending", prefix: "d", deriver: "hand", key: "day", author: bob.author }, [day]],
    [{ input: tea, status: "active", key: "day" }, []],
    [{ key: "drink", prefix: "m" }, []],
    [{ deriver: "taste", status: "active" }, [coffee]],
    [{ limit: 0 }, []],
    [{ limit: 2 }, [day, tea]],
    [{ prefix: "d", limit: 2 }, [day, tea]],
    [{ status: "active", limit: 1 }, [coffee]],
    [{ limit: 100 }, [day, tea, coffee, home, meal]],
    [{ key: undefined, status: undefined, limit: undefined }, [day, tea, coffee, home, meal]],
  ];
  for (const [filter, expected] of cases) {
    assertEquals(idsOf(log.claims.query(filter)), expected, JSON.stringify(filter));
  }
  log.claims.refute(alice, "drink", { value: "tea" });
  assertEquals(idsOf(log.claims.query({ status: "refuted" })), [tea]);
  assertEquals(idsOf(log.claims.query({ status: "invalidated" })), [day, meal]);
  log.claims.correct(alice, "drink", "water");
  assertEquals(idsOf(log.claims.query({ status: "corrected" })), [coffee]);
  log.rebuild();
  assertEquals(idsOf(log.claims.query({ input: idOf("absent") })), [day]);
});

Deno.test("a pending claim is found by its input before and after the input arrives", () => {
  using log = OpLog.open();
  const { ops } = history(asserts("b", "b", 1, "a"));
  log.appendAll(ops, UNCHECKED);
  assertEquals(idsOf(log.claims.query({ input: idOf("a") })), [idOf("b")]);
  log.appendAll(history(asserts("a", "a", 1)).ops, UNCHECKED);
  assertEquals(idsOf(log.claims.query({ input: idOf("a") })), [idOf("b")]);
  assertEquals(idsOf(log.claims.query({ input: idOf("a"), status: "pending" })), []);
});

const ODD_KEYS = [
  ..."\u0001|\u0001\u0001|\u0000\u0001|\u0001\u0000|\u0001\u0002|\u0002|a\u0001|a\u0001b|!|\t".split("|"),
  ..."a|a.|a.b|aa|a%|a_|A|b|ab|%|_|*|?|[a]|'|''|\"|\\|\\u0000|\\\\|\\\"|#|~|\u007f|é|e\u0301|東京|東".split("|"),
  ..."\u0000|\u0000\u0000|a\u0000|a\u0000b|\n|\u001f|\ud7ff|\ud7ffx|\ue000|\ufffd|\uffff|😀|😀x".split("|"),
  ..."\u{10ffff}|\u{10ffff}\u{10ffff}|a\u{10ffff}|a\u{10ffff}b|\u{10fffe}\u{10ffff}|\u{10fffe}x".split("|"),
  "\u{10ffff}".repeat(512),
  "x".repeat(512),
];

Deno.test("a prefix may be any text", () => {
  using log = OpLog.open();
  log.appendAll(ODD_KEYS.map((key, n) => unsigned(`${n}`, "claim.assert", asserts("", key, n).body, [])), UNCHECKED);
  const prefixes = new Set(
    ODD_KEYS.flatMap((key) => [key, key + "a", key + "\u{10ffff}", [...key].slice(0, -1).join("")]),
  );
  prefixes.add("\u{10ffff}".repeat(600));
  for (const prefix of prefixes) {
    const found = [...log.claims.query({ prefix })].map(({ key }) => key).sort();
    assertEquals(found, ODD_KEYS.filter((key) => key.startsWith(prefix)).sort(), JSON.stringify(prefix.slice(0, 20)));
  }
  for (const [n, key] of ODD_KEYS.entries()) {
    assertEquals([...log.claims.query({ key })].map((claim) => [claim.key, claim.value]), [[key, n]]);
    assertEquals(log.claims.current(key)?.value, n);
  }
});

Deno.test("claims are sorted by the code points of their keys", () => {
  using log = OpLog.open();
  log.appendAll(ODD_KEYS.map((key, n) => unsigned(`${n}`, "claim.assert", asserts("", key, n).body, [])), UNCHECKED);
  const points = (key: string) => new TextEncoder().encode(key);
  const sorted = ODD_KEYS.toSorted((a, b) => Buffer.compare(points(a), points(b)));
  assertEquals([...log.claims.query()].map(({ key }) => key), sorted);
  assertEquals([...log.claims.query({ prefix: "a" })].map(({ key }) => key), sorted.filter((key) => key[0] === "a"));
});

Deno.test("unusual derivers are distinguished", () => {
  using log = OpLog.open();
  for (const id of ODD_KEYS) log.claims.assert(alice, { key: "k", value: id, deriver: { id, version: "1" } });
  for (const deriver of ODD_KEYS) {
    assertEquals([...log.claims.query({ deriver })].map((claim) => claim.deriver?.id), [deriver]);
  }
});

Deno.test("claims are sorted by key, depth and id, in any order of arrival", () => {
  const [earlier, later] = byId("x", "y");
  const named = history(
    [asserts(later, "b", 1), asserts(earlier, "b", 2)],
    asserts("deep", "b", 3),
    asserts("other", "a", 4),
    asserts("last", "ba", 5),
  );
  for (const ops of [named.ops, [named.ops[1], named.ops[0], ...named.ops.slice(2)]]) {
    using log = OpLog.open();
    log.appendAll(ops, UNCHECKED);
    assertEquals(idsOf(log.claims.query()), ["other", earlier, later, "deep", "last"].map(idOf));
  }
});

Deno.test("an invalid filter is refused", () => {
  const { log } = signedLog();
  using _ = log;
  const filters: Record<string, unknown>[] = [
    ...["", "Active", "live", "toString", "__proto__", null, 1].map((status) => ({ status })),
    ...[-1, 1.5, NaN, Infinity, "1", 1n, null].map((limit) => ({ limit })),
    ...["", "x", "mnk_", alice.author.toUpperCase(), alice.author + "0", null, 1].map((author) => ({ author })),
    ...["", "x", "op_", idOf("a").slice(0, -1), null, 1].map((input) => ({ input })),
    ...["key", "prefix", "deriver"].flatMap((field) =>
      [null, 1, {}, ["a"], "\ud800"].map((value) => ({ [field]: value }))
    ),
    ...["", "keys", "Key", "constructor", "__proto__x", "inputs"].map((field) => ({ [field]: "a" })),
    { key: "drink", unknown: undefined },
  ];
  for (const filter of filters) {
    const error = assertThrows(() => log.claims.query(filter as ClaimFilter), LogError);
    assertEquals(error.code, "invalid-argument");
  }
});

Deno.test("the status of a claim in a query is that at the time of reading", () => {
  using log = OpLog.open();
  const root = log.claims.assert(alice, { key: "root", value: 1 });
  const count = 600;
  const draft = (n: number) => ({ key: `k${n}`.padEnd(8, "x"), value: n, inputs: [root.opId] });
  for (let n = 0; n < count; n++) log.claims.assert(alice, draft(n));
  log.claims.refute(alice, "root");
  const claims = log.claims.query({ prefix: "k" });
  claims.next();
  log.claims.correct(alice, "root", 1);
  const { op } = log.claims.refute(alice, "root", { value: 1 });
  log.claims.assert(alice, { key: "k", value: "too late" });
  const rest = [...claims];
  assertEquals([rest.length, rest.at(-1)!.cause], [count - 1, op.opId]);
});

Deno.test("a claim has the fields of its operation", () => {
  const { log, ids } = signedLog();
  using _ = log;
  const { ts: seenAt, ...meal } = log.claims.get(ids.meal);
  assertEquals(meal, {
    opId: ids.meal,
    kind: "assert",
    key: "meal",
    value: "breakfast",
    confidencePpm: 1_000_000,
    author: alice.author,
    depth: 3,
    deriver: { id: "habits", version: "1" },
    inputs: [ids.tea],
    status: "active",
  });
  assertEquals(seenAt, log.get(ids.meal).ts);
  const { ts: _ts, ...home } = log.claims.get(ids.home);
  assertEquals(home, {
    opId: ids.home,
    kind: "correct",
    key: "home",
    value: "Oslo",
    confidencePpm: 1_000_000,
    author: alice.author,
    depth: 5,
    inputs: [],
    status: "active",
  });
});

Deno.test("get and explain refuse an id that is not in the log, or not a claim", () => {
  const { log, ids } = signedLog();
  using _ = log;
  const refute = log.claims.refute(alice, "nothing").op.opId;
  for (const ask of [(opId: string) => log.claims.get(opId), (opId: string) => log.claims.explain(opId)]) {
    assertEquals(assertThrows(() => ask(idOf("absent")), NotFoundError).opId, idOf("absent"));
    for (const opId of ["", "op_", ids.tea.slice(0, -1), ids.tea.toUpperCase()]) {
      assertEquals(assertThrows(() => ask(opId), LogError).code, "not-found");
    }
    for (const opId of [ids.receipt, refute]) {
      assertEquals(assertThrows(() => ask(opId), LogError, opId).code, "not-a-claim");
    }
    using empty = OpLog.open();
    assertThrows(() => empty.claims.get(ids.tea), NotFoundError);
  }
});

Deno.test("current is the last active claim of a key; latest the last of any status", () => {
  using log = OpLog.open();
  const shown = () => [log.claims.current("drink"), log.claims.latest("drink")].map((claim) => claim?.opId);
  assertEquals(shown(), [undefined, undefined]);
  log.claims.refute(alice, "drink");
  assertEquals(shown(), [undefined, undefined]);
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  assertEquals(shown(), [undefined, tea.opId]);
  assertEquals(log.claims.latest("drink")?.status, "refuted");
  const coffee = log.claims.assert(alice, { key: "drink", value: "coffee", inputs: [idOf("absent")] });
  assertEquals(shown(), [undefined, coffee.opId]);
  const yes = log.claims.correct(alice, "drink", "tea").op;
  assertEquals(shown(), [yes.opId, yes.opId]);
  assertEquals(log.claims.current("drink")?.status, "active");
  const again = log.claims.assert(bob, { key: "drink", value: "tea" });
  assertEquals(shown(), [again.opId, again.opId]);
  const milk = log.claims.assert(bob, { key: "drink", value: "milk" }); // not what the user said
  assertEquals(shown(), [again.opId, milk.opId]);
  assertEquals([log.claims.current("drin"), log.claims.latest("drin")], [undefined, undefined]);
});

Deno.test("explain takes a key, for its current or else its latest claim, or an id", () => {
  using log = OpLog.open();
  const explained = (key: string) => log.claims.explain(key).claim.opId;
  const nothing = (key: string) => assertThrows(() => explained(key), LogError, JSON.stringify(key)).code;
  assertEquals(nothing("drink"), "not-found"); // an empty log
  const tea = log.claims.assert(alice, { key: "drink", value: "tea" });
  assertEquals(log.claims.explain("drink"), log.claims.explain(tea.opId));
  log.claims.refute(alice, "drink", { value: "tea" });
  assertEquals(explained("drink"), tea.opId);
  const coffee = log.claims.assert(alice, { key: "drink", value: "coffee" });
  const more = log.claims.assert(alice, { key: "drink", value: "tea" });
  assertEquals([explained("drink"), log.claims.latest("drink")?.opId], [coffee.opId, more.opId]);
  const id = idOf("absent");
  log.claims.assert(alice, { key: id, value: "a key that has the form of an id" });
  assertThrows(() => explained(id), NotFoundError);
  const short = id.slice(0, 12);
  const odd = log.claims.assert(alice, { key: short, value: "a key that looks like an abbreviated id" });
  assertEquals(explained(short), odd.opId);
  for (const key of ["drin", "", "Drink"]) assertEquals(nothing(key), "not-found");
});
