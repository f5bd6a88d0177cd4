import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeCertificate } from "../certificate.ts";
import { works } from "../processes.ts";
import { linesOf } from "../processes.ts";
import { type Mnema, NETWORK_PERMISSIONS } from "./mnema.ts";
import { inFolder, withNode } from "./node.ts";

/** Runs `use` with the line of a server that has its address for peers, and ends the server with a signal. */
async function serving(
  mnema: Mnema,
  args: string[],
  use: (line: string) => Promise<void>,
  signal: Deno.Signal = "SIGTERM",
): Promise<{ code: number; err: string }> {
  const child = mnema.with({ permissions: NETWORK_PERMISSIONS }).spawn("serve", "--listen", "127.0.0.1:0", ...args);
  const lines = linesOf(child.stdout);
  const err = new Response(child.stderr).text();
  try {
    let { value } = await lines.next();
    if (value?.startsWith("http")) ({ value } = await lines.next());
    if (value === undefined) throw new Error(await err);
    await use(value);
  } finally {
    child.kill(signal);
    await lines.return(undefined);
  }
  return { code: (await child.status).code, err: await err };
}

/** Runs `use` with a second node in its own folder, whose command line may use the network. */
function withOther(use: (other: Mnema) => Promise<void>): Promise<void> {
  return withNode((other) => use(other.with({ permissions: NETWORK_PERMISSIONS })));
}

Deno.test("serve prints its address, synchronizes, and ends cleanly when it is interrupted", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await withNode(async (mnema) => {
      const id = (await mnema.does("append", "note", "{}")).trim();
      const ended = await serving(mnema, [], async (url) => {
        assertMatch(url, /^ws:\/\/127\.0\.0\.1:\d+\/sync$/);
        assertEquals(await (await fetch(url.replace("ws:", "http:").replace("/sync", "/health"))).text(), "ok\n");
        await withOther(async (other) => {
          assertStringIncludes(await other.does("sync", url), "received: new 1");
          assertEquals((await other.does("heads")).trim(), id);
        });
      }, signal);
      assertEquals(ended, { code: 0, err: "" });
    });
  }
});

Deno.test("serve --json prints the address and the author", async () => {
  await withNode(async (mnema) => {
    const author = (await mnema.does("id")).trim();
    await serving(mnema, ["--json"], (line) => {
      const { url, page, ...more } = JSON.parse(line);
      assertMatch(url, /^ws:/);
      assertMatch(page, /^http:.*\?token=/);
      assertEquals(more, { author });
      return Promise.resolve();
    });
  });
});

Deno.test("serve --allow admits only the peers that it names", async () => {
  await withNode(async (mnema) => {
    await withOther(async (friend) => {
      const author = (await friend.does("id")).trim();
      await serving(mnema, ["--allow", author], async (url) => {
        await friend.does("sync", url);
        await withOther(async (stranger) => {
          assertStringIncludes(await stranger.refuses("sync", url), "the peer refused the session");
        });
      });
    });
  });
});

Deno.test("serve --push only sends", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", '{"text":"served"}');
    await serving(mnema, ["--push"], async (url) => {
      await withOther(async (other) => {
        await other.does("append", "note", '{"text":"kept"}');
        await other.does("sync", url);
        assertEquals(JSON.parse(await other.does("stats", "--json")).operations, 2);
      });
    });
    assertEquals(JSON.parse(await mnema.does("stats", "--json")).operations, 1);
  });
});

Deno.test("a server beyond this machine does not start without --allow", async () => {
  await withNode(async (mnema) => {
    const open = mnema.with({ permissions: NETWORK_PERMISSIONS });
    for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"]) {
      assertMatch(await open.refuses("serve", "--listen", address), /with --allow AUTHOR, or listen on 127\.0\.0\.1$/);
    }
  });
});

Deno.test("a port in use is an error that says so", async () => {
  await withNode(async (mnema) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const open = mnema.with({ permissions: NETWORK_PERMISSIONS });
    assertStringIncludes(await open.refuses("serve", "--listen", `127.0.0.1:${port}`), "the port is in use");
  });
});

Deno.test({
  name: "serve speaks TLS with a certificate, and sync --tls-ca trusts it",
  ignore: !works("openssl", "version"),
  async fn() {
    await withNode(async (mnema) => {
      makeCertificate(mnema.folder);
      await serving(mnema, ["--tls-cert", "cert.pem", "--tls-key", "key.pem"], async (url) => {
        assertMatch(url, /^wss:/);
        await withOther(async (other) => {
          assertEquals((await other.run("sync", url)).code, 4);
          Deno.copyFileSync(`${mnema.folder}/cert.pem`, `${other.folder}/ca.pem`);
          await other.does("sync", url, "--tls-ca", "ca.pem");
        });
      });
    });
  },
});

Deno.test("arguments that are not what they must be are wrong usage", async () => {
  await withNode(async (mnema) => {
    const wrong = [
      ["serve", "more"],
      ["serve", "--listen", "8420"],
      ["serve", "--listen", "127.0.0.1:70000"],
      ["serve", "--listen", "::1:8420"],
      ["serve", "--allow", "mnk_8a88"],
      ["serve", "--tls-cert", "cert.pem"],
      ["serve", "--max-sessions", "0"],
      ["serve", "--pull", "--push"],
    ];
    for (const sentence of await mnema.misusesEach(wrong)) assert(sentence.length > 15, sentence);
  });
});

Deno.test("a server without a key or a log says how to create them", async () => {
  await inFolder(async (mnema) => {
    assertMatch(await mnema.with({ permissions: NETWORK_PERMISSIONS }).refuses("serve"), /mnema init/);
  });
});
