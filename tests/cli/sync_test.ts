import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Identity, OpLog } from "../../mod.ts";
import { serve, type ServeOptions, type SyncServer } from "../../sync.ts";
import { contentsOf } from "../folder.ts";
import { alice, bob, carol, forged, note } from "../operations.ts";
import { eventually } from "../sync/eventually.ts";
import { type Mnema, NETWORK_PERMISSIONS, PERMISSIONS } from "./mnema.ts";
import { makeLog, withNode } from "./node.ts";

const NOTHING = "received: new 0, known 0, refused 0\nsent: new 0, known 0, refused 0\n";

/** Runs `use` beside a log `other.db`, each log with one operation that the other lacks. */
function withTwo(use: (mnema: Mnema, other: string) => Promise<void>): Promise<void> {
  return withNode(async (mnema) => {
    const other = `${mnema.folder}/other.db`;
    makeLog(other, [note("there")]);
    await mnema.does("append", "note", '{"text":"here"}');
    await use(mnema.with({ permissions: NETWORK_PERMISSIONS }), other);
  });
}

/** The heads of both logs. */
async function headsOfBoth(mnema: Mnema): Promise<string[]> {
  return [await mnema.does("heads"), await mnema.does("heads", "--log", "other.db")];
}

/** Serves a log in this process while `use` runs. */
async function serving(
  path: string,
  use: (server: SyncServer, log: OpLog) => Promise<void>,
  options: Partial<ServeOptions> = {},
): Promise<void> {
  using log = OpLog.open(path);
  await using server = await serve(log, { signer: bob, ...options });
  await use(server, log);
}

/**
 * A program in place of `ssh` that runs the command in a shell of this machine, in the same folder, where `mnema` is the
 * command line; and notes its arguments.
 */
function standIn(mnema: Mnema): Mnema {
  const path = `${mnema.folder}/ssh`;
  const cli = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);
  const words = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...PERMISSIONS, cli].map((word) => `'${word}'`);
  Deno.mkdirSync(`${mnema.folder}/bin`);
  Deno.writeTextFileSync(`${mnema.folder}/bin/mnema`, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, { mode: 0o755 });
  Deno.writeTextFileSync(
    path,
    `#!/bin/sh\nprintf '%s\\n' "$@" > '${mnema.folder}/arguments'\nfor last; do :; done\nPATH='${mnema.folder}/bin':$PATH exec sh -c "$last"\n`,
    { mode: 0o755 },
  );
  const permissions = NETWORK_PERMISSIONS.map((flag) => flag === "--allow-run=ssh" ? `--allow-run=${path}` : flag);
  return mnema.with({ permissions, env: { MNEMA_SSH: path } });
}

Deno.test("two files have the same operations afterwards", async () => {
  await withTwo(async (mnema) => {
    const local = mnema.with({ permissions: PERMISSIONS }); // needs no network
    assertEquals(await local.does("sync", "other.db"), NOTHING.replaceAll("new 0", "new 1"));
    const [here, there] = await headsOfBoth(mnema);
    assertEquals(here, there);
    assertEquals(await local.does("sync", "other.db"), NOTHING);
  });
});

Deno.test("a dry run says what each side lacks, exits with 3 when there is something, and transfers nothing", async () => {
  await withTwo(async (mnema) => {
    assertEquals(await mnema.run("sync", "other.db", "--dry-run"), {
      code: 3,
      out: "missing here 1, missing there 1\n",
      err: "",
    });
    const { code, out } = await mnema.run("sync", "other.db", "--dry-run", "--json");
    const { missing_here, missing_there, received } = JSON.parse(out);
    assertEquals([code, missing_here, missing_there, received.operations], [3, 1, 1, 0]);
    await mnema.does("sync", "other.db");
    assertEquals(await mnema.does("sync", "other.db", "--dry-run"), "missing here 0, missing there 0\n");
  });
});

Deno.test("--pull only receives, and --push only sends", async () => {
  await withTwo(async (mnema) => {
    assertEquals(await mnema.does("sync", "other.db", "--pull"), "received: new 1, known 0, refused 0\n");
    const dry = await mnema.run("sync", "other.db", "--dry-run");
    assertEquals(dry.out, "missing here 0, missing there 1\n");
    assertEquals(await mnema.does("sync", "other.db", "--push"), "sent: new 1, known 0, refused 0\n");
  });
});

Deno.test("operations of an author that is not accepted are refused with exit code 1", async () => {
  await withTwo(async (mnema) => {
    const own = (await mnema.does("id")).trim();
    const { code, out, err } = await mnema.run("sync", "other.db", "--accept-author", own);
    assertStringIncludes(out, "received: new 0, known 0, refused 1");
    assertEquals([code, err], [1, "received: 1 operation refused: not-allowed\n"]);
  });
});

Deno.test("an operation that is not valid is refused, whatever log it comes from", async () => {
  await withTwo(async (mnema, other) => {
    using log = OpLog.open(other);
    log.append(forged(note("forged")), { verify: false });
    const { code, out } = await mnema.run("sync", "other.db", "--json");
    const { received } = JSON.parse(out);
    assertEquals([code, received.new, received.refused, received.refusals], [1, 1, 1, { "bad-address": 1 }]);
  });
});

Deno.test("a server is synchronized with over ws, with the proof of the key", async () => {
  await withTwo(async (mnema, other) => {
    const author = (await mnema.does("id")).trim();
    await serving(other, async ({ address, url }) => {
      assertEquals(await mnema.does("sync", url), NOTHING.replaceAll("new 0", "new 1"));
      assertEquals(await mnema.does("sync", `ws://127.0.0.1:${address.port}`), NOTHING);
      const { peer } = JSON.parse(await mnema.does("sync", url, "--json", "--allow", bob.author));
      assertEquals(peer, bob.author);
      assertMatch(await mnema.refuses("sync", url, "--allow", carol.author), /does not admit mnk_/);
    }, { allow: [author] });
    const [here, there] = await headsOfBoth(mnema);
    assertEquals(here, there);
  });
});

Deno.test("a server that does not admit the key is a refusal, with exit code 1", async () => {
  await withTwo(async (mnema, other) => {
    await serving(other, async ({ url }) => {
      assertStringIncludes(await mnema.refuses("sync", url), "the peer refused the session");
    }, { allow: [alice.author] });
  });
});

Deno.test("a server that is not reached, or is busy, is exit code 4", async () => {
  await withTwo(async (mnema, other) => {
    const gone = await mnema.run("sync", "ws://127.0.0.1:1");
    assertEquals([gone.code, gone.out], [4, ""]);
    assertMatch(gone.err, /^mnema: 127\.0\.0\.1:1 cannot be reached.*\n$/);
    await serving(other, async (server) => {
      const socket = new WebSocket(server.url);
      await eventually("the place is taken", () => server.status().open.length === 1);
      const { code, err } = await mnema.run("sync", server.url);
      assertEquals([code, err.includes("try again later")], [4, true]);
      const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
      socket.close();
      await closed;
    }, { maxSessions: 1 });
  });
});

Deno.test("a log on another machine is synchronized with through ssh", async () => {
  await withTwo(async (mnema) => {
    const far = standIn(mnema);
    assertEquals(await far.does("sync", "ssh://ann@far:2222/~/other.db"), NOTHING.replaceAll("new 0", "new 1"));
    const [here, there] = await headsOfBoth(mnema);
    assertEquals(here, there);
    const command = "'mnema' sync --stdio --log 'other.db'";
    assertEquals(Deno.readTextFileSync(`${mnema.folder}/arguments`), `-p\n2222\n--\nann@far\n${command}\n`);
  });
});

Deno.test("through ssh, a key is needed on neither machine", async () => {
  await withTwo(async (mnema) => {
    Deno.removeSync(`${mnema.folder}/mnema.key`);
    assertStringIncludes(await standIn(mnema).does("sync", "ssh://far/~/other.db"), "sent: new 1");
    assertMatch(await mnema.refuses("sync", "ws://127.0.0.1:1"), /mnema\.key.*mnema init/);
  });
});

Deno.test("what the other machine complains about is passed on", async () => {
  await withTwo(async (mnema) => {
    const { code, out, err } = await standIn(mnema).run("sync", "ssh://far/~/missing.db");
    assertEquals([code, out], [1, ""]);
    assertMatch(
      err,
      /^mnema: there is no log missing\.db; .*\nmnema: the command .* ended with code 1; see what .*\n$/,
    );
  });
});

Deno.test("the far end writes nothing but the protocol to standard output", async () => {
  await withTwo(async (mnema) => {
    const { code, out, err } = await mnema.with({ stdin: "" }).run("sync", "--stdio");
    assertEquals(code, 4);
    const [length, kind] = [new DataView(new TextEncoder().encode(out.slice(0, 4)).buffer).getUint32(0), out[4]];
    assertEquals([length, kind, out.slice(5, 15)], [76, "\x01", "mnema-sync"]); // one hello
    assertMatch(err, /^mnema: the peer closed the connection.*\n$/);
    const nonsense = await mnema.with({ stdin: "ls -l\n" }).run("sync", "--stdio");
    assertStringIncludes(nonsense.err, 'a text that begins with "ls -"');
  });
});

Deno.test("--follow passes on what is appended on either side, until it is interrupted", async () => {
  await withTwo(async (mnema, other) => {
    await serving(other, async ({ url }, there) => {
      using here = OpLog.open(`${mnema.folder}/mnema.db`);
      const child = mnema.spawn("sync", url, "--follow");
      await eventually("both have both", () => here.size === 2 && there.size === 2);
      const [mine, theirs] = [here.record(alice, "note", { n: 1 }), there.record(bob, "note", { n: 2 })];
      await eventually("both have all", () => there.has(mine.opId) && here.has(theirs.opId));
      child.kill("SIGINT");
      const { code, stdout, stderr } = await child.output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertEquals([code, out], [130, NOTHING.replaceAll("new 0", "new 2")]);
      assertMatch(err, /^mnema: interrupted; what has arrived stays.*\n$/);
    });
  });
});

Deno.test("--follow of two files passes on what another process appends", async () => {
  await withTwo(async (mnema, other) => {
    using there = OpLog.open(other);
    using here = OpLog.open(`${mnema.folder}/mnema.db`);
    const child = mnema.spawn("sync", "other.db", "--follow");
    const op = there.record(bob, "note", { n: 1 });
    await eventually("it has arrived", () => here.has(op.opId));
    child.kill("SIGTERM");
    assertEquals((await child.output()).code, 130);
  });
});

Deno.test("arguments that are not what they must be are wrong usage", async () => {
  await withTwo(async (mnema) => {
    const before = contentsOf(mnema.folder);
    const wrong = [
      ["sync"],
      ["sync", "a.db", "b.db"],
      ["sync", "http://127.0.0.1"],
      ["sync", "--stdio", "other.db"],
      ["sync", "--stdio", "--follow"],
      ["sync", "other.db", "--pull", "--push"],
      ["sync", "other.db", "--follow", "--dry-run"],
      ["sync", "other.db", "--allow", "mnk_12"],
      ["sync", "other.db", "--accept-author", "Alice"],
      ["sync", "other.db", "--allow", alice.author],
      ["sync", "mnema.db"],
      ["sync", "./mnema.db"],
      ["sync", ":memory:"],
    ];
    for (const sentence of await mnema.misusesEach(wrong)) assert(sentence.length > 20, sentence);
    assertStringIncludes(await mnema.misuses("sync", "other.db", "--pul"), "did you mean --pull?");
    assertStringIncludes(await mnema.misuses("sync"), "PEER is missing");
    assertEquals(Object.keys(contentsOf(mnema.folder)), Object.keys(before));
  });
});

Deno.test("an address that is made to run something else is refused, and nothing is run", async () => {
  await withTwo(async (mnema) => {
    const far = standIn(mnema);
    for (const address of ["ssh://-oProxyCommand=x/log", "ssh://far;id/log", "ssh://far/a%0Ab", "ssh://far"]) {
      assertStringIncludes(await far.refuses("sync", address), "ssh://[user@]host[:port]/path");
    }
    assert(!Object.hasOwn(contentsOf(mnema.folder), "arguments"));
  });
});

Deno.test("a file that is not there is an error that says how to create a log, and none is created", async () => {
  await withTwo(async (mnema) => {
    assertMatch(
      await mnema.refuses("sync", "missing.db"),
      /^there is no log missing\.db; .*mnema init --log missing\.db/,
    );
    assert(!Object.hasOwn(contentsOf(mnema.folder), "missing.db"));
  });
});

Deno.test("a permission that is missing is named, with the host or the program", async () => {
  await withTwo(async (mnema) => {
    Identity.load(`${mnema.folder}/mnema.key`);
    const denied = mnema.with({ permissions: PERMISSIONS });
    const lacks = (flag: string) => `permissions are missing: run mnema, or install it again, with ${flag}`;
    assertEquals(await denied.refuses("sync", "ws://127.0.0.1:1"), lacks("--allow-net=127.0.0.1:1"));
    assertEquals(await denied.refuses("sync", "wss://far.example/sync"), lacks("--allow-net=far.example:443"));
    assertEquals(await denied.refuses("sync", "ssh://far/log"), lacks("--allow-env=MNEMA_SSH"));
    const withEnv = mnema.with({ permissions: [...PERMISSIONS, "--allow-env=MNEMA_SSH"] });
    assertEquals(await withEnv.refuses("sync", "ssh://far/log"), lacks("--allow-run=ssh"));
    assertEquals(await denied.refuses("serve"), lacks("--allow-net=127.0.0.1:8420"));
  });
});
