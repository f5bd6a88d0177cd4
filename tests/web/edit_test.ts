import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { OpLog } from "../../mod.ts";
import { alice } from "../operations.ts";
import { owner, until, type Visitor, withSite } from "./site.ts";

/** A claim, and one derived from it. */
function fillTea(log: OpLog): void {
  const drink = log.claims.assert(alice, { key: "drink", value: "tea" });
  log.claims.assert(alice, { key: "gift", value: "a teapot", inputs: [drink.opId] });
}

/** The fields of the form that a page posts. */
function formOf(page: string): Record<string, string> {
  const form = page.match(/<form[^>]*method="post"[^]*?<\/form>/)![0];
  const fields = [...form.matchAll(/name="([^"]*)"\s+value="([^"]*)"/g)].map((
    [, name, text],
  ) => [name, unescape(text)]);
  return Object.fromEntries(fields);
}

const unescape = (text: string) => text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&amp;", "&");

/** A page once everything is caught up. */
function settled(visitor: Visitor, path: string): Promise<string> {
  return until(() => visitor.page(path), (text) => !text.includes("Catching up"));
}

Deno.test("a refute shows what will fall before it is done, and fells it", async () => {
  await withSite({ fill: fillTea, signer: owner }, async (visitor) => {
    const { opId } = visitor.log.claims.current("gift")!;
    const page = await settled(
      visitor,
      `/refute?key=drink&value=${encodeURIComponent('"tea"')}&reason=no&claim=${opId}`,
    );
    assertStringIncludes(page, "2 claims will fall");
    for (const key of ["drink", "gift"]) assertStringIncludes(page, `/claims?key=${key}"`);
    assertEquals(visitor.log.size, 2, "nothing is appended yet");

    const { status, headers } = await visitor.post("/refute", formOf(page));
    assertEquals([status, headers.get("location")], [303, `/claims/${opId}`]);
    assertStringIncludes(
      await until(() => visitor.page(`/claims/${opId}`), (text) => text.includes("How it fell")),
      "drink",
    );
    const [refute] = visitor.log.byType("claim.refute");
    assertEquals([refute.author, refute.body], [owner.author, {
      key: "drink",
      scope: "value",
      value: "tea",
      reason: "no",
    }]);
    assertEquals(visitor.log.claims.get(opId).status, "invalidated");
  });
});

Deno.test("a correction gives the user's own value, and an assert a claim", async () => {
  await withSite({ fill: fillTea, signer: owner }, async (visitor) => {
    const page = await settled(visitor, "/correct?key=drink&value=coffee");
    assertStringIncludes(page, "2 claims will fall");
    const corrected = await visitor.post("/correct", formOf(page));
    assertEquals([corrected.status, corrected.headers.get("location")], [303, "/claims?key=drink"]);
    assertEquals(visitor.log.claims.current("drink")?.value, "coffee");

    const { opId } = visitor.log.claims.current("drink")!;
    const fields = { key: " two words", value: "[1,2]", confidence: "0.82", inputs: opId.slice(0, 20) };
    const asserted = await visitor.post("/assert", fields);
    const claim = visitor.log.claims.current(" two words")!;
    assertEquals([asserted.status, asserted.headers.get("location")], [303, `/claims/${claim.opId}`]);
    assertEquals([claim.value, claim.confidencePpm, claim.inputs, claim.author], [
      [1, 2],
      820_000,
      [opId],
      owner.author,
    ]);
  });
});

Deno.test("when what will fall has changed meanwhile, nothing is appended and it is shown again", async () => {
  await withSite({ fill: fillTea, signer: owner }, async (visitor) => {
    const form = formOf(await settled(visitor, "/refute?key=drink"));
    assertEquals(form.falls, "2");
    const { opId } = visitor.log.claims.current("drink")!;
    visitor.log.claims.assert(alice, { key: "cup", value: "small", inputs: [opId] });
    const answer = await visitor.post("/refute", form);
    assertEquals(answer.status, 409);
    assertStringIncludes(answer.text, "What will fall has changed meanwhile");
    assertStringIncludes(answer.text, "3 claims will fall");
    assertEquals(visitor.log.byType("claim.refute"), []);
    assertEquals((await visitor.post("/refute", formOf(answer.text))).status, 303);
  });
});

Deno.test("a form that is not valid is shown again with what is wrong, and appends nothing", async () => {
  await withSite({ fill: fillTea, signer: owner }, async (visitor) => {
    const attempts: [string, Record<string, string>, string][] = [
      ["/assert", { value: "tea" }, "key is missing"],
      ["/assert", { key: "drink" }, "value is missing"],
      ["/assert", { key: "drink", value: "1.5" }, "value"],
      ["/assert", { key: "drink", value: "tea", confidence: "2" }, "a decimal from 0 to 1"],
      ["/assert", { key: "drink", value: "tea", inputs: "op_00" }, "holds no operation"],
      ["/assert", { key: "x".repeat(600), value: "tea" }, "$.body.key"],
      ["/refute", { value: "tea" }, "a key is missing"],
      ["/correct", { key: "drink" }, "the correct value"],
      ["/refute", { key: "drink", falls: "2", reason: "x".repeat(600) }, "$.body.reason"],
    ];
    for (const [path, fields, part] of attempts) {
      const { status, text } = await visitor.post(path, fields);
      assertEquals(status, 400, `${path} ${JSON.stringify(fields)} ${text}`);
      assertStringIncludes(text, "Nothing was appended");
      assertStringIncludes(text, part);
      if (fields.key !== undefined) assertStringIncludes(text, fields.key);
    }
    const large = await visitor.post("/assert", { key: "drink", value: "x".repeat(300_000) });
    assertEquals(large.status, 413);
    const json = await visitor.ask("/assert", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    assertEquals(json.status, 400);
    assertEquals(visitor.log.size, 2);
  });
});

Deno.test("forms answer programs in JSON, with the names of the command line", async () => {
  await withSite({ fill: fillTea, signer: owner }, async (visitor) => {
    const asJson = { accept: "application/json" };
    const preview = await until(
      async () => JSON.parse(await visitor.json("/refute?key=drink")),
      ({ count }) => count > 0,
    );
    const { opId: gift } = visitor.log.claims.current("gift")!;
    assertEquals([preview.count, preview.claims.includes(gift)], [2, true]);
    const refuted = await visitor.post("/refute", { key: "drink", falls: "2" }, asJson);
    const [{ opId: refute }] = visitor.log.byType("claim.refute");
    const invalidated = visitor.log.byType("claim.invalidate").map(({ body }) => body.claim);
    assertEquals(JSON.parse(refuted.text), { op_id: refute, invalidated, effective: true });
    const asserted = await visitor.post("/assert", { key: "drink", value: "tea" }, asJson);
    assertEquals(JSON.parse(asserted.text), { seq: visitor.log.size, op_id: visitor.log.heads()[0] });
  });
});

Deno.test("without a signer nothing can be appended, and no form offers it", async () => {
  await withSite({ fill: fillTea }, async (visitor) => {
    for (const path of ["/assert", "/refute", "/correct"]) {
      const { status, text } = await visitor.post(path, { key: "drink", value: "tea", falls: "2" });
      assertEquals(status, 403);
      assertStringIncludes(text, "--edit");
    }
    const { opId } = visitor.log.claims.current("drink")!;
    const page = await settled(visitor, `/claims/${opId}`);
    assert(!page.includes("/refute") && !page.includes("/assert"));
    assertEquals(visitor.log.size, 2);
  });
});
