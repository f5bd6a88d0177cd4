import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatJson, Identity, Operation, type OpLog } from "../../mod.ts";
import { listed } from "../../src/render/listed.ts";
import { statsJson } from "../../src/render/report.ts";
import { alice, bob } from "../operations.ts";
import { owner, until, type Visitor, withSite } from "./site.ts";

/** Evidence, a claim from it, and one from that. */
function fillTea(log: OpLog): { seen: Operation; drink: Operation; gift: Operation } {
  const seen = log.record(alice, "evidence.add", { source: "shop", kind: "receipt", content: { item: "green tea" } });
  const drink = log.claims.assert(alice, {
    key: "drink",
    value: "green tea",
    confidencePpm: 820_000,
    deriver: { id: "taste", version: "2.1" },
    inputs: [seen.opId],
  });
  const gift = log.claims.assert(bob, { key: "gift", value: "a teapot", inputs: [drink.opId] });
  return { seen, drink, gift };
}

/** The page, once everything is caught up. */
function settled(visitor: Visitor, path: string): Promise<string> {
  return until(() => visitor.page(path), (text) => !text.includes("Catching up"));
}

/** The text of a page, without markup. */
const textOf = (page: string) => page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ").replaceAll("&quot;", '"');

Deno.test("the overview counts, shows the newest operations, heads and the last checkpoint", async () => {
  await withSite(
    { fill: (log) => void (fillTea(log), log.proofs.checkpoint(alice, { origin: "mnema/test" })) },
    async (visitor) => {
      const page = textOf(await settled(visitor, "/"));
      for (
        const part of [
          "Operations 3",
          "Types 2",
          "Authors 2",
          "1 operation that no other follows",
          "first 3 operations, as mnema/test",
        ]
      ) {
        assertStringIncludes(page, part);
      }
      assertMatch(page, /gift = "a teapot".*drink = "green tea".*receipt from shop/);
      const json = await visitor.json("/overview.json");
      assertEquals(json, statsJson(visitor.log.stats(), 1) + "\n");
      assertEquals(await visitor.json("/"), json);
    },
  );
});

Deno.test("claims are searched by key and value, filtered by status, author and deriver, and sorted", async () => {
  const fill = (log: OpLog) => {
    fillTea(log);
    log.claims.refute(alice, "gift");
  };
  await withSite({ fill }, async (visitor) => {
    await settled(visitor, "/claims");
    const keys = async (query: string) => {
      const { claims } = JSON.parse(await visitor.json(`/claims?${query}`));
      return claims.map(({ key }: { key: string }) => key);
    };
    assertEquals(await keys(""), ["drink", "gift"]);
    assertEquals(await keys("order=newest"), ["gift", "drink"]);
    assertEquals(await keys("order=confidence&reverse=true"), ["drink", "gift"]);
    assertEquals(await keys("key-contains=RIN"), ["drink"]);
    assertEquals(await keys("value-contains=teapot"), ["gift"]);
    assertEquals(await keys("status=refuted"), ["gift"]);
    assertEquals(await keys(`author=${bob.author.slice(0, 12)}`), ["gift"]);
    assertEquals(await keys("deriver=taste"), ["drink"]);
    assertEquals(await keys("deriver=taste%402.1"), ["drink"]);
    const first = JSON.parse(await visitor.json("/claims?n=1"));
    assertEquals(first.after, first.claims[0].op_id);
    assertEquals(await keys(`n=1&after=${first.after}`), ["gift"]);
    const page = await visitor.page("/claims?n=1");
    assertStringIncludes(page, `after=${first.after}`);
    assertStringIncludes(await visitor.page("/claims?status=pending"), "No claim matches.");
  });
});

Deno.test("a page of claims has a thousand", async () => {
  const fill = (log: OpLog) => {
    const draft = (n: number) => ({
      type: "claim.assert",
      body: { key: `key${n}`, value: n, confidence_ppm: 1, deriver: { id: "d", version: "1" }, inputs: [] },
      prev: [],
      ts: n,
    });
    log.appendAll(Array.from({ length: 1001 }, (_, n) => Operation.create(draft(n), alice)));
  };
  await withSite({ fill }, async (visitor) => {
    const page = await settled(visitor, "/claims?n=1000");
    assertEquals(page.match(/<tr /g)!.length, 1001);
    assertStringIncludes(page, 'rel="next"');
    assertEquals((await visitor.ask("/claims?n=1001")).status, 400);
  });
});

Deno.test("a claim is explained by a picture whose nodes are links, and by sentences; the path of its fall is marked", async () => {
  const made: ReturnType<typeof fillTea>[] = [];
  const fill = (log: OpLog) => {
    made.push(fillTea(log));
    log.claims.refute(alice, "drink", { value: "green tea", reason: "for a friend" });
  };
  await withSite({ fill }, async (visitor) => {
    const [{ seen, drink, gift }] = made;
    const path = `/claims/${gift.opId}`;
    const page = await until(() => visitor.page(path), (text) => text.includes("<svg") && text.includes("How it fell"));
    for (const id of [seen.opId, drink.opId, gift.opId]) assertStringIncludes(page, `href="/operations/${id}"`);
    assertMatch(page, /class="[^"]*\bon-path\b/);
    const text = textOf(page);
    for (
      const part of [
        "invalidated",
        "for a friend",
        'drink = "green tea" is not so',
        "derived by taste 2.1",
        "receipt from shop",
      ]
    ) {
      assertStringIncludes(text, part);
    }
    assertEquals(await visitor.json(path), formatJson(visitor.log.claims.explain(gift.opId)) + "\n");
    // An abbreviated id, and .json.
    const short = await visitor.ask(`/claims/${gift.opId.slice(0, 20)}.json`);
    assertEquals([short.status, short.text], [200, await visitor.json(path)]);
  });
});

Deno.test("a claim's page is answered before its picture is drawn, and without scripts it is loaded again", async () => {
  const made: ReturnType<typeof fillTea>[] = [];
  await withSite({ fill: (log) => void made.push(fillTea(log)) }, async (visitor) => {
    const path = `/claims/${made[0].drink.opId}`;
    const page = await until(() => visitor.page(path), (text) => text.includes("drink"));
    assert(page.includes("<svg") || page.includes('<noscript><meta http-equiv="refresh"'), page);
    await until(() => visitor.page(path), (text) => text.includes("<svg") && !text.includes("<noscript>"));
  });
});

Deno.test("a large explanation is cut, and opened further on demand", async () => {
  const ids: string[] = [];
  const fill = (log: OpLog) => {
    for (let n = 0; n < 150; n++) {
      ids.push(log.claims.assert(alice, { key: `chain${n}`, value: n, inputs: ids.slice(-1) }).opId);
    }
  };
  await withSite({ fill }, async (visitor) => {
    const path = `/claims/${ids[149]}`;
    const page = await until(() => visitor.page(path), (text) => text.includes("1 input not shown"));
    assertStringIncludes(page, `${path}?limit=400`);
    assert(!page.includes("chain0 ="), "it is cut");
    assertStringIncludes(await visitor.page(`${path}?limit=400`), "chain0 =");
    assertEquals((await visitor.ask(`${path}?limit=2001`)).status, 400);
  });
});

Deno.test("the log is read newest first, a page at a time by seq, and filtered by type, author and time", async () => {
  const fill = (log: OpLog) => {
    for (let n = 0; n < 250; n++) {
      log.record(n % 2 === 0 ? alice : bob, n % 5 === 0 ? "tick" : "note", { n }, {
        ts: Date.UTC(2026, 0, 1) + n * 3_600_000,
      });
    }
  };
  await withSite({ fill }, async (visitor) => {
    await settled(visitor, "/log?after=2026-01-01");
    const seqs = async (query: string) => {
      const { operations, older } = JSON.parse(await visitor.json(`/log?${query}`));
      return [operations.map(({ seq }: { seq: number }) => seq), older];
    };
    const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);
    assertEquals(await seqs(""), [range(250, 151), 151]);
    assertEquals(await seqs("before-seq=151"), [range(150, 51), 51]);
    assertEquals(await seqs("before-seq=51"), [range(50, 1), null]);
    assertEquals(await seqs("n=1000"), [range(250, 1), null]);
    assertEquals(await seqs("type=tick&n=2"), [[246, 241], 241]);
    assertEquals(await seqs(`author=${bob.author}&n=2`), [[250, 248], 248]);
    assertEquals(await seqs("after=2026-01-02&before=2026-01-02T02:00"), [[26, 25], null]);
    assertStringIncludes(await visitor.page("/log?type=tick&n=2"), "/log?type=tick&amp;n=2&amp;before-seq=241");
    assertStringIncludes(await visitor.page("/log?type=never"), "No operation matches.");
    const [{ seq, op }] = visitor.log.entries({ reverse: true, limit: 1 });
    assertEquals(await visitor.json("/log?n=1"), `{"operations":[${listed(seq, op)}],"older":250}\n`);
  });
});

Deno.test("an operation's page has its fields, its text, its neighbours, that it verifies, and a proof to download", async () => {
  const made: ReturnType<typeof fillTea>[] = [];
  const fill = (log: OpLog) => {
    made.push(fillTea(log));
    log.proofs.checkpoint(alice);
    log.record(alice, "note", { text: "later" });
  };
  await withSite({ fill }, async (visitor) => {
    const [{ seen, drink, gift }] = made;
    const path = `/operations/${drink.opId}`;
    const page = await until(() => visitor.page(path), (text) => text.includes(`/operations/${gift.opId}`));
    for (
      const part of [
        drink.opId,
        drink.author,
        drink.sig,
        "shape, content address and signature are right",
        `/operations/${seen.opId}`,
      ]
    ) {
      assertStringIncludes(page, part);
    }
    const wire = await visitor.ask(`${path}/wire`);
    assertEquals([wire.text, wire.headers.get("content-type")], [drink.wire, "application/json"]);
    assertEquals(wire.headers.get("content-disposition"), `attachment; filename="${drink.opId}.json"`);
    assertEquals((await visitor.ask(`${path}/proof`)).text, visitor.log.proofs.prove(drink.opId));
    assertEquals(await visitor.json(path), listed(2, drink, { verified: true, children: [gift.opId] }) + "\n");
    const head = `/operations/${visitor.log.heads()[0]}`;
    assertStringIncludes(await visitor.page(head), "no checkpoint was signed since");
    assertEquals((await visitor.ask(`${head}/proof`)).status, 404);
  });
});

Deno.test("an operation that was changed in the file is shown as such", async () => {
  await withSite({}, async (visitor) => {
    const op = Operation.create({ type: "note", body: { text: "tea at four" }, prev: [], ts: 1 }, alice);
    const forged = Operation.parse(op.wire.replace("four", "nine"));
    visitor.log.append(forged, { verify: false });
    const page = await visitor.page(`/operations/${op.opId}`);
    assertStringIncludes(page, "was changed: its content address is");
    const json = JSON.parse(await visitor.json(`/operations/${op.opId}`));
    assertEquals([json.verified, json.op.op_id], [undefined, op.opId]);
  });
});

const MARKUP = `<script>alert(1)</script><img src=x onerror=alert(2)>"'\`><svg onload=alert(3)>&lt;\${1}</title></pre>`;
const HIDDEN = "a\u202eb\u200bc\u0007";

Deno.test("markup in every field of an operation stays text, on every page", async () => {
  const author = Identity.fromSeed(new Uint8Array(32).fill(66));
  const ids: string[] = [];
  const fill = (log: OpLog) => {
    const bad = MARKUP + HIDDEN;
    const seen = log.record(author, "evidence.add", { source: bad, kind: bad, content: { [bad]: bad }, ref: bad });
    const claim = log.claims.assert(author, {
      key: bad,
      value: { [bad]: [bad] },
      deriver: { id: bad, version: bad },
      inputs: [seen.opId],
    });
    const derived = log.claims.assert(author, { key: `${bad}2`, value: bad, inputs: [claim.opId] });
    const later = log.claims.assert(author, { key: `${bad}3`, value: bad });
    log.claims.assert(author, { key: `${bad}3`, value: `${bad}4` });
    const { op, invalidations } = log.claims.refute(author, bad, { reason: bad });
    const explained = log.claims.record(author, log.claims.explain(derived.opId), bad);
    const other = log.record(author, "note", { [bad]: bad });
    ids.push(
      seen.opId,
      claim.opId,
      derived.opId,
      later.opId,
      op.opId,
      invalidations[0].opId,
      explained.opId,
      other.opId,
    );
  };
  await withSite({ fill, signer: owner }, async (visitor) => {
    await settled(visitor, "/claims");
    const query = encodeURIComponent(MARKUP + HIDDEN);
    const paths = [
      "/",
      "/log",
      "/claims",
      `/claims?key=${query}`,
      `/claims?key-contains=${query}&value-contains=${query}&deriver=${query}`,
      `/claims?status=${query}`,
      `/log?type=${query}`,
      `/log?after=${query}`,
      `/refute?key=${query}&value=${query}&reason=${query}&claim=${query}`,
      `/correct?key=${query}&value=${query}&reason=${query}`,
      `/assert?key=${query}&value=${query}&inputs=${query}&confidence=${query}`,
      `/${query}`,
      `/claims/${query}`,
      `/operations/${query}`,
      ...ids.map((id) => `/operations/${id}`),
    ];
    const pages = await Promise.all(paths.map(async (path) => (await visitor.ask(path)).text));
    for (const id of ids.slice(1, 4)) {
      pages.push(await until(() => visitor.page(`/claims/${id}`), (text) => text.includes("<svg xmlns")));
    }
    const posted = await visitor.post("/assert", { key: MARKUP, value: "1", confidence: MARKUP });
    pages.push(posted.text);
    let quoted = 0;
    for (const [i, page] of pages.entries()) {
      const where = paths[i] ?? `page ${i}`;
      assert(!/<script>|<img|<svg onload|onerror=alert\(2\)>|<\/pre>[^]*<\/pre><\/pre>/i.test(page), where);
      const tags = page.match(/<[a-z][^>]*>/g)!;
      for (const tag of tags) assert(!/\son\w+\s*=\s*[^"]/i.test(tag.replaceAll(/"[^"]*"/g, '""')), `${where}: ${tag}`);
      // A field of a form keeps what was given.
      const text = page.replaceAll(/ value="[^"]*"/g, "");
      assert(!["\u202e", "\u200b", "\u0007"].some((hidden) => text.includes(hidden)), where);
      if (page.includes("&lt;script&gt;")) quoted++;
    }
    assert(quoted > 20, `it is shown, as text: ${quoted}`);
  });
});

Deno.test("what is not there, not possible or not valid has a page that says so", async () => {
  await withSite({ fill: (log) => void fillTea(log) }, async (visitor) => {
    const seen = `op_${"0".repeat(64)}`;
    const expected: [string, RequestInit, number, string][] = [
      ["/nothing", {}, 404, "no such page"],
      ["/nothing.json", {}, 404, '"code":"not-found"'],
      [`/operations/${seen}`, {}, 404, "holds no operation"],
      [`/claims/${seen}`, {}, 404, "holds no operation"],
      [`/claims/${visitor.log.byType("evidence.add")[0].opId}`, {}, 404, "not a claim"],
      ["/operations/x", {}, 400, "is no operation id"],
      ["/log?before-seq=-1", {}, 400, "an integer from 0"],
      ["/log?after=2026-02-30", {}, 400, "a day or a time"],
      ["/log?author=mnk_0000", {}, 404, "nothing by an author"],
      ["/claims?status=sour", {}, 400, "one of active"],
      [`/claims?key-contains=${"x".repeat(5000)}`, {}, 400, "at most 4096 characters"],
      ["/claims", { method: "DELETE" }, 405, "DELETE is not possible"],
      ["/events", { method: "POST" }, 405, "POST is not possible"],
      ["/refute?key=drink", {}, 403, "start mnema serve with --edit"],
      ["/assert", {}, 403, "start mnema serve with --edit"],
    ];
    for (const [path, init, status, part] of expected) {
      const answer = await visitor.ask(path, init);
      assertEquals(answer.status, status, path);
      assertStringIncludes(answer.text, part);
    }
    assertEquals((await visitor.ask("/claims", { method: "DELETE" })).headers.get("allow"), "GET, HEAD");
    assertEquals((await visitor.ask("/audit", { method: "PUT" })).headers.get("allow"), "GET, HEAD, POST");
    const head = await visitor.ask("/claims", { method: "HEAD" });
    assertEquals([head.status, head.text], [200, ""]);
  });
});

Deno.test("an empty log has all pages", async () => {
  await withSite({ signer: owner }, async (visitor) => {
    for (const path of ["/", "/claims", "/log", "/audit", "/assert", "/refute", "/correct", "/refute?key=drink"]) {
      assertStringIncludes(await visitor.page(path), "<h1>");
    }
    assertStringIncludes(await visitor.page("/log"), "The log has no operations yet.");
  });
});

Deno.test("a log in memory, and one that is only read, have all pages", async () => {
  for (const options of [{ inMemory: true }, { readonly: true }]) {
    await withSite({ ...options, fill: (log) => void fillTea(log) }, async (visitor) => {
      assertStringIncludes(await settled(visitor, "/claims"), "a teapot");
      const { claims } = JSON.parse(await visitor.json("/claims"));
      for (const path of ["/", "/log", "/audit", `/claims/${claims[1].op_id}`, `/operations/${claims[1].op_id}`]) {
        assertStringIncludes(await settled(visitor, path), "<h1>");
      }
    });
  }
});
