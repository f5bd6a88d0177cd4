import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pages } from "../../src/web/pages.ts";
import { HOST, owner, PORT, type Visitor, withSite } from "./site.ts";

/** The status of a request with these headers and no others. */
async function statusOf(
  visitor: Visitor,
  headers: Record<string, string>,
  init: RequestInit & { peer?: string; path?: string } = {},
): Promise<number> {
  const { path = "/", ...rest } = init;
  const response = await visitor.raw(path, { ...rest, headers });
  await response.body?.cancel();
  return response.status;
}

/** The cookie that the printed address gives. */
async function cookieOf(visitor: Visitor): Promise<string> {
  const response = await visitor.raw(`/?token=${visitor.token}`, { headers: { host: HOST } });
  return response.headers.get("set-cookie")!.split(";")[0];
}

Deno.test("the printed address gives the cookie, and its token leaves the address", async () => {
  await withSite({}, async (visitor) => {
    const response = await visitor.raw(`/claims?token=${visitor.token}&status=active`, { headers: { host: HOST } });
    assertEquals([response.status, response.headers.get("location")], [303, "/claims?status=active"]);
    assertMatch(visitor.token, /^[\w-]{43}$/);
    const cookie = `mnema-${PORT}=${visitor.token}`;
    assertEquals(response.headers.get("set-cookie"), `${cookie}; Path=/; HttpOnly; SameSite=Strict`);
    assertEquals(await statusOf(visitor, { host: HOST, cookie }), 200);
  });
});

Deno.test("the redirect from the printed address never leads to another site", async () => {
  await withSite({}, async (visitor) => {
    for (const path of ["//evil.example", "///evil.example/a", "/%2f/evil.example", "/\\evil.example"]) {
      const response = await visitor.raw(`${path}?token=${visitor.token}`, { headers: { host: HOST } });
      const location = response.headers.get("location")!;
      assertEquals(new URL(location, `http://${HOST}/`).host, HOST, location);
    }
  });
});

Deno.test("without the token, or with a wrong one, nothing is answered and nothing about the log is shown", async () => {
  await withSite({ signer: owner }, async (visitor) => {
    const wrong = visitor.token.replace(/^./, (first) => first === "A" ? "B" : "A");
    const attempts: Record<string, string>[] = [
      { host: HOST },
      { host: HOST, cookie: `mnema-${PORT}=${wrong}` },
      { host: HOST, cookie: `mnema-${PORT + 1}=${visitor.token}` },
      { host: HOST, cookie: `mnema-${PORT}=` },
      { host: HOST, authorization: `Bearer ${wrong}` },
      { host: HOST, authorization: `Basic ${visitor.token}` },
    ];
    for (const headers of attempts) {
      for (
        const path of ["/", "/claims", "/log.json", "/audit", "/events", "/nothing", `/?token=${wrong}`, "/?token="]
      ) {
        const response = await visitor.raw(path, { headers });
        const text = await response.text();
        assertEquals(response.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert(!text.includes("log.db") && !text.includes(visitor.token), text);
      }
      const form = { ...headers, origin: `http://${HOST}`, "sec-fetch-site": "same-origin" };
      assertEquals(await statusOf(visitor, form, { method: "POST", body: "", path: "/audit" }), 403);
    }
  });
});

Deno.test("a program can send the token in a header", async () => {
  await withSite({}, async (visitor) => {
    const headers = { host: HOST, authorization: `Bearer ${visitor.token}` };
    assertEquals(await statusOf(visitor, headers, { path: "/claims.json" }), 200);
  });
});

Deno.test("DNS rebinding: a name that leads to this machine is refused, whatever else the request has", async () => {
  await withSite({}, async (visitor) => {
    const cookie = await cookieOf(visitor);
    const hosts = [
      "evil.example",
      `evil.example:${PORT}`,
      `127.0.0.1.evil.example:${PORT}`,
      `localhost.evil.example:${PORT}`,
      `127.0.0.1:${PORT + 1}`,
      "127.0.0.1",
      "localhost",
      "",
      `127.0.0.1:${PORT}.evil.example`,
      `user@127.0.0.1:${PORT}`,
      `0.0.0.0:${PORT}`,
    ];
    for (const host of hosts) {
      assertEquals(await statusOf(visitor, { host, cookie }), 403, host);
      assertEquals(await statusOf(visitor, { host, authorization: `Bearer ${visitor.token}` }), 403, host);
      assertEquals(await statusOf(visitor, { host }, { path: `/?token=${visitor.token}` }), 403, host);
      assertEquals(await statusOf(visitor, { host }, { path: "/style.css" }), 403, host);
    }
    for (const host of [HOST, `localhost:${PORT}`, `[::1]:${PORT}`]) {
      assertEquals(await statusOf(visitor, { host, cookie }), 200, host);
    }
  });
});

Deno.test("a request from another machine is refused, even with the token", async () => {
  await withSite({}, async (visitor) => {
    const headers = { host: HOST, authorization: `Bearer ${visitor.token}` };
    for (const peer of ["192.168.1.7", "10.0.0.1", "::ffff:192.168.1.7", "fe80::1", "2001:db8::1", "127.evil", ""]) {
      assertEquals(await statusOf(visitor, headers, { peer }), 403, peer);
    }
    for (const peer of ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"]) {
      assertEquals(await statusOf(visitor, headers, { peer }), 200, peer);
    }
  });
});

Deno.test("cross-site requests: forms and scripts of other sites are refused, though the browser sends the cookie", async () => {
  await withSite({ signer: owner }, async (visitor) => {
    const own = { host: HOST, cookie: await cookieOf(visitor) };
    const form = { ...own, "content-type": "application/x-www-form-urlencoded" };
    const body = new URLSearchParams({ "form-token": await visitor.formToken(), key: "drink", value: "tea" })
      .toString();
    const foreign: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: `http://127.0.0.1:${PORT + 1}`, "sec-fetch-site": "same-site" },
      { origin: `https://${HOST}` },
      { origin: "null", "sec-fetch-site": "cross-site" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
      {},
    ];
    for (const headers of foreign) {
      for (const path of ["/assert", "/refute", "/correct", "/audit"]) {
        const status = await statusOf(visitor, { ...form, ...headers }, { method: "POST", body, path });
        assertEquals(status, 403, `${path} ${JSON.stringify(headers)}`);
      }
    }
    for (const path of ["/claims.json", "/style.css", "/events"]) {
      assertEquals(await statusOf(visitor, { ...own, "origin": "https://evil.example" }, { path }), 403);
      assertEquals(await statusOf(visitor, { ...own, "sec-fetch-site": "cross-site" }, { path }), 403);
    }
    assertEquals(visitor.log.size, 0);
  });
});

Deno.test("a form without its token, or with a wrong one, does nothing", async () => {
  await withSite({ signer: owner }, async (visitor) => {
    for (const formToken of ["", "x", visitor.token, `${await visitor.formToken()}x`]) {
      for (const path of ["/assert", "/refute", "/correct", "/audit"]) {
        const { status, text } = await visitor.post(path, { "form-token": formToken, key: "drink", value: "tea" });
        assertEquals(status, 403, path);
        assertStringIncludes(text, "load the page again");
      }
    }
    assertEquals([visitor.log.size, await visitor.json("/audit")], [0, '{"state":"none"}\n']);
  });
});

Deno.test("a link on another site leads to a page that says what to do; a frame or an image shows nothing", async () => {
  await withSite({}, async (visitor) => {
    const followed = { host: HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    // The browser keeps the SameSite=Strict cookie back.
    const response = await visitor.raw("/claims", { headers: { ...followed, "sec-fetch-dest": "document" } });
    assertEquals(response.status, 403);
    assertStringIncludes(await response.text(), "Open the whole address that mnema serve printed");
    const cookie = await cookieOf(visitor);
    for (const dest of ["iframe", "embed", "object", "image"]) {
      const headers = { ...followed, cookie, "sec-fetch-dest": dest };
      assertEquals(await statusOf(visitor, headers, { path: "/claims" }), 403, dest);
    }
  });
});

Deno.test("another origin's WebSocket, and any other, is refused", async () => {
  await withSite({}, async (visitor) => {
    const own = { host: HOST, cookie: await cookieOf(visitor) };
    const upgrade = { "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13" };
    for (const origin of ["https://evil.example", `http://${HOST}`]) {
      for (const path of ["/", "/events", "/claims"]) {
        assertEquals(await statusOf(visitor, { ...own, ...upgrade, origin }, { path }), 426, `${origin} ${path}`);
      }
    }
  });
});

Deno.test("every answer forbids scripts, styles, frames and requests of others", async () => {
  await withSite({}, async (visitor) => {
    const { text } = await visitor.ask("/");
    assert(!/<script(?![^>]* src="\/)|<style|\sstyle=|\son[a-z]+=|javascript:/i.test(text), "inline code");
    for (const path of ["/", "/claims.json", "/style.css", "/live.js", "/nothing", "/operations/x", "/?token=wrong"]) {
      const { headers } = await visitor.ask(path);
      const policy = headers.get("content-security-policy")!;
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
        assertStringIncludes(policy, rule, path);
      }
      assert(!/unsafe|\*|http|data:/.test(policy), policy);
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("referrer-policy"), "no-referrer");
      assertEquals(headers.get("cache-control"), "no-store");
      assertEquals(headers.get("access-control-allow-origin"), null);
    }
  });
});

Deno.test("with TLS, the address, the cookie and the origin are those of TLS", async () => {
  await withSite({}, async (visitor) => {
    const site = pages(visitor.log, { path: visitor.path });
    try {
      const address = site.listensAt({ hostname: "127.0.0.5", port: 8443, isSecure: true });
      assertEquals(address, `https://127.0.0.5:8443/?token=${site.token}`);
      const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
      const host = "127.0.0.5:8443";
      const entered = await site.fetch(new Request(address, { headers: { host } }), { remoteAddr });
      const cookie = entered.headers.get("set-cookie")!;
      assertMatch(cookie, /; Secure$/);
      const statusWith = async (origin: string) => {
        const headers = { host, origin, cookie: cookie.split(";")[0] };
        return (await site.fetch(new Request(address.split("?")[0], { headers }), { remoteAddr })).status;
      };
      assertEquals([await statusWith(`https://${host}`), await statusWith(`http://${host}`)], [200, 403]);
    } finally {
      await site.close();
    }
  });
});

Deno.test("before the server listens, every request is refused", async () => {
  await withSite({}, async (visitor) => {
    const site = pages(visitor.log, { path: visitor.path });
    try {
      const request = new Request(`http://${HOST}/?token=${site.token}`, { headers: { host: HOST } });
      const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
      assertEquals((await site.fetch(request, { remoteAddr })).status, 403);
    } finally {
      await site.close();
    }
  });
});
