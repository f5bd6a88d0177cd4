import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { type Mnema, NETWORK_PERMISSIONS } from "../cli/mnema.ts";
import { withNode } from "../cli/node.ts";
import { linesOf } from "../processes.ts";

const NET = NETWORK_PERMISSIONS;

/** Runs `use` with the address that `mnema serve` prints, and interrupts it afterwards. */
async function withServer(
  mnema: Mnema,
  args: string[],
  use: (address: URL) => Promise<void>,
  listen = "127.0.0.1:0",
): Promise<void> {
  const server = mnema.with({ permissions: NET }).spawn("serve", "--listen", listen, ...args);
  const lines = linesOf(server.stdout);
  const err = new Response(server.stderr).text();
  try {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(await err);
    await use(new URL(value.startsWith("{") ? JSON.parse(value).page : value));
  } finally {
    server.kill("SIGINT");
    await lines.return(undefined);
    const { code } = await server.status;
    assertEquals([code, await err], [0, ""]);
  }
}

/** Opens the address, and returns the cookie. */
async function enter(address: URL): Promise<string> {
  const response = await fetch(address, { redirect: "manual" });
  await response.body?.cancel();
  assertEquals(response.status, 303);
  return response.headers.get("set-cookie")!.split(";")[0];
}

/** Sends bytes as they are, and returns the first line of the answer. */
async function raw(address: URL, ...lines: string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(address.port) });
  await connection.write(new TextEncoder().encode([...lines, "connection: close", "", ""].join("\r\n")));
  const text = await new Response(connection.readable).text();
  return text.split("\r\n")[0];
}

Deno.test("mnema serve prints the address, shows the log, and ends at an interrupt while a page is open", async () => {
  await withNode(async (mnema) => {
    await mnema.does("assert", "drink", "tea");
    await withServer(mnema, [], async (address) => {
      assertMatch(address.href, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/);
      const cookie = await enter(address);
      const claims = await fetch(new URL("/claims.json", address), { headers: { cookie } });
      assertEquals((await claims.json()).claims.map(({ key }: { key: string }) => key), ["drink"]);
      const refute = await fetch(new URL("/refute", address), { headers: { cookie } });
      assertEquals(refute.status, 403);
      await refute.body?.cancel();
      const events = await fetch(new URL("/events", address), { headers: { cookie } });
      await events.body!.getReader().read(); // it is open at the interrupt
    });
  });
});

Deno.test("with --edit, a claim is asserted by the key", async () => {
  await withNode(async (mnema) => {
    await withServer(mnema, ["--edit", "--json"], async (address) => {
      const headers = { authorization: `Bearer ${address.searchParams.get("token")}`, accept: "application/json" };
      const page = await (await fetch(new URL("/assert", address), { headers: { ...headers, accept: "text/html" } }))
        .text();
      const formToken = page.match(/name="form-token"\s+value="([^"]+)"/)![1];
      const body = new URLSearchParams({ "form-token": formToken, key: "drink", value: "tea" });
      const response = await fetch(new URL("/assert", address), { method: "POST", headers, body });
      const { op_id: opId } = await response.json();
      using log = OpLog.open(`${mnema.folder}/mnema.db`, { readonly: true });
      assertEquals(log.get(opId).author, JSON.parse(await mnema.does("id", "--json")).author);
    });
  });
});

Deno.test("over a socket: DNS rebinding, foreign origins, WebSockets and a missing or wrong token are refused", async () => {
  await withNode(async (mnema) => {
    await withServer(mnema, ["--edit"], async (address) => {
      const { host } = address;
      const cookie = `cookie: ${await enter(address)}`;
      const token = address.searchParams.get("token");
      const own = [`host: ${host}`, cookie];
      const form = ["content-type: application/x-www-form-urlencoded", "content-length: 0"];
      const upgrade = [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      ];
      assertStringIncludes(await raw(address, "GET / HTTP/1.1", ...own), "200");
      const refused: string[][] = [
        ["GET / HTTP/1.1", `host: evil.example:${address.port}`, cookie],
        [`GET /?token=${token} HTTP/1.1`, "host: evil.example"],
        [`GET http://evil.example/?token=${token} HTTP/1.1`, `host: evil.example:${address.port}`],
        ["GET /claims.json HTTP/1.1", ...own, "origin: https://evil.example"],
        ["GET / HTTP/1.1", `host: ${host}`],
        ["GET /?token=wrong HTTP/1.1", `host: ${host}`],
        ["POST /assert HTTP/1.1", ...own, ...form],
        ["POST /assert HTTP/1.1", ...own, ...form, "origin: https://evil.example"],
      ];
      for (const lines of refused) assertStringIncludes(await raw(address, ...lines), "403", lines.join("\n"));
      const sockets = await raw(address, "GET /events HTTP/1.1", ...own, ...upgrade, "origin: https://evil.example");
      assertMatch(sockets, /^HTTP\/1\.1 4\d\d /);
      assert(!(await raw(address, "GET / HTTP/1.1", `host: ${host}`, `host: evil.example`, cookie)).includes(" 200"));
      using log = OpLog.open(`${mnema.folder}/mnema.db`, { readonly: true });
      assertEquals(log.size, 0);
    });
  });
});

Deno.test("mnema serve --open needs the permission to run the program that opens a browser", async () => {
  await withNode(async (mnema) => {
    const opened = await mnema.with({ permissions: NET }).refuses("serve", "--open");
    assertMatch(opened, /^permissions are missing: .* --allow-run=(xdg-open|open|explorer)\b/);
  });
});

Deno.test("a server on other addresses of this machine shows pages to this machine alone; a session is no page", async () => {
  await withNode(async (mnema) => {
    const { author } = JSON.parse(await mnema.does("id", "--json"));
    const args = ["--json", "--allow", author];
    await withServer(mnema, args, async (address) => {
      assertEquals(address.hostname, "127.0.0.1");
      const sync = await fetch(new URL("/sync", address));
      assertEquals(sync.status, 426);
      await sync.body?.cancel();
      assertEquals(await (await fetch(new URL("/health", address))).text(), "ok\n");
    }, "0.0.0.0:0");
  });
});
