import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { OpLog } from "../../mod.ts";
import { type Pages, pages } from "../../src/web/pages.ts";
import { alice, bob, note } from "../operations.ts";
import { chromiumPath, isRequired, startBrowser } from "./browser.ts";
import { owner } from "./site.ts";

const ignore = chromiumPath === undefined && !isRequired;
/** How the tests are reported where there is no browser. */
const HINT = ignore ? " (skipped: apt-get install chromium)" : "";

let folder: string;
let browser: Browser;
let log: OpLog;
let site: Pages;
let server: Deno.HttpServer<Deno.NetAddr>;
let address: string;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  folder = Deno.makeTempDirSync({ prefix: "mnema-test-" });
  log = OpLog.open(`${folder}/log.db`);
  fill(log);
  site = pages(log, { path: `${folder}/log.db`, signer: owner });
  server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, site.fetch);
  address = site.listensAt(server.addr);
  browser = await startBrowser();
});

Deno.test.afterAll(async () => {
  if (ignore) return;
  await browser?.close();
  await site.close();
  await server.shutdown();
  log.close();
  Deno.removeSync(folder, { recursive: true });
});

/** Claims of every status. */
function fill(log: OpLog): void {
  const receipt = log.record(alice, "evidence.add", {
    source: "shop",
    kind: "receipt",
    content: { item: "green tea" },
  });
  const diary = log.record(bob, "evidence.add", { source: "diary", kind: "entry", content: { text: "tea at four" } });
  const drink = log.claims.assert(alice, {
    key: "drink.favourite",
    value: "green tea",
    confidencePpm: 820_000,
    deriver: { id: "taste", version: "2.1" },
    inputs: [receipt.opId, diary.opId],
  });
  log.claims.assert(bob, { key: "gift.idea", value: "a teapot", confidencePpm: 640_000, inputs: [drink.opId] });
  const meal = log.claims.assert(alice, { key: "meal", value: "soup", inputs: [diary.opId] });
  log.claims.assert(alice, { key: "spoon", value: "large", inputs: [meal.opId] });
  log.claims.assert(alice, { key: "later", value: { nested: ["value", 1] }, inputs: [note("not here").opId] });
  log.claims.assert(alice, { key: "cup", value: "small" });
  log.claims.assert(alice, { key: "cup", value: "x".repeat(300) });
  log.claims.refute(alice, "meal", { value: "soup", reason: "it was stew" });
  log.claims.assert(alice, { key: "city", value: "Riga" });
  log.claims.correct(alice, "city", "Tartu");
  log.record(alice, "note", { text: "long".repeat(500) });
  log.proofs.checkpoint(alice);
}

/** Runs `use` with a page of a fresh context, in which the address was opened; nothing may be an error on its console. */
async function withPage(options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("request", (request) => {
      if (new URL(request.url()).host !== new URL(address).host) errors.push(`a request to ${request.url()}`);
    });
    await page.goto(address);
    assertEquals(new URL(page.url()).search, "", "the token has left the address");
    await use(page);
    assertEquals(errors, []);
  } finally {
    await context.close();
  }
}

const urlOf = (path: string) => new URL(path, address).href;

/** The path of each kind of page. */
function paths(): string[] {
  const claim = log.claims.latest("spoon")!.opId;
  return [
    "/",
    "/claims",
    `/claims/${claim}`,
    `/claims/${log.claims.latest("later")!.opId}`,
    "/log",
    `/operations/${claim}`,
    "/audit",
    "/assert",
    "/refute?key=drink.favourite",
    "/correct?key=drink.favourite&value=coffee",
    "/nothing",
  ];
}

/** Opens a page, and waits for its picture, if it has one. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(urlOf(path));
  if (/^\/claims\/./.test(path)) await page.waitForSelector(".picture svg");
}

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `no page has an accessibility violation or an error on the console, in ${colorScheme}${HINT}`,
    ignore,
    async fn() {
      await withPage({ colorScheme }, async (page) => {
        for (const path of paths().filter((path) => path !== "/nothing")) {
          await open(page, path);
          await page.evaluate(axe.source);
          const violations: unknown[] = await page.evaluate(`axe.run().then(({ violations }) => violations.map(
            ({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any.map(({ message }) => message)])]))`);
          assertEquals(violations, [], path);
        }
      });
    },
  });
}

Deno.test({
  name: `nothing overflows at 360 pixels${HINT}`,
  ignore,
  async fn() {
    await withPage({ viewport: { width: 360, height: 640 } }, async (page) => {
      for (const path of paths().filter((path) => path !== "/nothing")) {
        await open(page, path);
        assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 360, path);
      }
    });
  },
});

Deno.test({
  name: `a claim is explained, refuted, and falls with what stood on it${HINT}`,
  ignore,
  async fn() {
    await withPage({}, async (page) => {
      const gift = log.claims.latest("gift.idea")!.opId;
      await page.click("nav >> text=Claims");
      await page.fill("input[name=key-contains]", "drink");
      await page.click("button:text('Filter')");
      await page.click("td .id");
      // From the picture to what is below it.
      await page.waitForSelector(".picture svg");
      assertEquals(await page.locator(".picture a").count(), 3);
      assertEquals(await page.locator(".picture text:text('by taste 2.1')").count(), 1);
      const seen = log.byType("evidence.add")[0].opId;
      assertEquals(await page.locator(`.picture a[href="/operations/${seen}"]`).count(), 1);

      await page.click("text=Refute this value");
      await page.waitForSelector("text=2 claims will fall");
      await page.fill("input[name=reason]", "it was for a friend");
      await page.click("text=Show what will fall");
      await page.click("button.danger");
      await page.waitForSelector("h2:text('How it fell')");
      assert((await page.textContent("main"))!.includes("it was for a friend"));
      await page.goto(urlOf(`/claims/${gift}`));
      await page.waitForSelector(".status.invalidated");
      await page.waitForSelector(".picture a.on-path");
    });
  },
});

Deno.test({
  name: `a new operation, and the fall of a claim, appear by themselves${HINT}`,
  ignore,
  async fn() {
    const cake = log.claims.assert(alice, { key: "cake", value: "lemon" });
    await withPage({}, async (page) => {
      const other = await page.context().newPage();
      await other.goto(urlOf(`/claims/${cake.opId}`));
      await other.waitForSelector(".status.active");
      await page.bringToFront();
      await page.goto(urlOf("/log"));
      const { opId } = log.record(bob, "note", { text: "it has come by itself" });
      await page.waitForSelector(`a[href="/operations/${opId}"]`);
      log.claims.refute(alice, "cake");
      await other.bringToFront();
      await other.waitForSelector(".status.refuted");
    });
  },
});

Deno.test({
  name: `the audit runs, and its report appears by itself${HINT}`,
  ignore,
  async fn() {
    await withPage({}, async (page) => {
      await page.goto(urlOf("/audit"));
      await page.click("button:text('Run the audit')");
      await page.waitForSelector("text=nothing was found", { timeout: 60_000 });
    });
  },
});

Deno.test({
  name: `without scripts, pages are read and a claim is asserted${HINT}`,
  ignore,
  async fn() {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.click("nav >> text=Assert");
      await page.fill("input[name=key]", "hat");
      await page.fill("input[name=value]", "<b>blue</b>");
      await page.click("button:text('Sign and append')");
      await page.waitForSelector("h1:text('hat = \"<b>blue</b>\"')");
      await page.waitForSelector(".picture svg"); // the page is loaded again until it is there
    });
  },
});

Deno.test({
  name: `pages are used with the keyboard alone${HINT}`,
  ignore,
  async fn() {
    await withPage({}, async (page) => {
      await page.keyboard.press("Tab");
      assertEquals(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
      await page.keyboard.press("Enter");
      assertEquals(await page.evaluate("location.hash"), "#content");
      await page.goto(urlOf("/"));
      for (let n = 0; n < 3; n++) await page.keyboard.press("Tab");
      assertEquals(await page.evaluate("document.activeElement.textContent"), "Claims");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/claims");
    });
  },
});

Deno.test({
  name: `a page of another site cannot read, embed or change the log${HINT}`,
  ignore,
  async fn() {
    const size = log.size;
    const attack = (target: string) =>
      `<!doctype html><title>attack</title><p id="result"></p>
      <iframe id="frame" src="${target}claims"></iframe>
      <form id="form" method="post" target="sink" action="${target}assert"><input name="key" value="k"><input name="value" value="v"></form>
      <iframe name="sink"></iframe>
      <script>
        form.submit();
        const outcomes = Promise.allSettled([
          fetch("${target}claims.json", { credentials: "include" }),
          fetch("${target}assert", { method: "POST", credentials: "include", body: new URLSearchParams("key=k&value=v"), mode: "no-cors" }).then((r) => { throw r.type; }),
          new Promise((resolve, reject) => { const s = new WebSocket("${target}".replace("http", "ws") + "events"); s.onopen = resolve; s.onerror = reject; }),
          new Promise((resolve, reject) => { const e = new EventSource("${target}events", { withCredentials: true }); e.onopen = resolve; e.onerror = reject; }),
        ]);
        outcomes.then((all) => { result.textContent = all.map(({ status }) => status).join(); });
      </script>`;
    const target = new URL("/", address).href;
    await using evil = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(attack(target), { headers: { "content-type": "text/html" } }),
    );
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address); // the browser has the cookie now
    await page.goto(`http://127.0.0.1:${evil.addr.port}/`);
    await page.waitForFunction("document.querySelector('#result').textContent !== ''");
    assertEquals(await page.textContent("#result"), "rejected,rejected,rejected,rejected");
    assertEquals(log.size, size);
    const embedded = page.frames().map((frame) => frame.url());
    assert(!embedded.some((url) => url.startsWith(`${target}claims`)), embedded.join());
    await context.close();
  },
});
