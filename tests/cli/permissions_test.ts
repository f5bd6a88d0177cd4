import { assertEquals } from "@std/assert";
import { contentsOf } from "../folder.ts";
import { works } from "../processes.ts";
import { PERMISSIONS } from "./mnema.ts";
import { inFolder, withNode } from "./node.ts";

const noTerminal = !works("script", "-qec", "true", "/dev/null");

/** The documented flags with their values, by flag. */
const FLAGS = Object.fromEntries(PERMISSIONS.map((flag) => [flag.match(/^--allow-[a-z]+/)![0], flag]));

const without = (flag: string) => PERMISSIONS.filter((permission) => permission !== FLAGS[flag]);

const lacks = (...flags: string[]) =>
  `permissions are missing: run mnema, or install it again, with ${flags.join(" ")}`;

/** Commands that need all of them. */
const COMMANDS = [["append", "note", "{}"], ["log"], ["show", "op_1"], ["heads"], ["stats"], ["export"], ["import"], [
  "audit",
]];

Deno.test("a command that lacks a permission names its flag and creates no file", async () => {
  await inFolder(async (mnema) => {
    for (const [name, flag] of Object.entries(FLAGS)) {
      assertEquals(await mnema.with({ permissions: without(name) }).refuses("init"), lacks(flag));
    }
    assertEquals(contentsOf(mnema.folder), {});
  });
});

Deno.test("a command without permissions names all flags and the folders in them", async () => {
  await inFolder(async (mnema) => {
    const denied = mnema.with({ permissions: [] });
    for (const args of [["init"], ...COMMANDS]) assertEquals(await denied.refuses(...args), lacks(...PERMISSIONS));
    const [, , ...others] = PERMISSIONS;
    assertEquals(
      await denied.refuses("log", "--log", "/notes/mnema.db", "--key", "/keys/mnema.key"),
      lacks("--allow-read=/notes,/keys", "--allow-write=/notes,/keys", ...others),
    );
    const absolute = `${denied.folder}/other.key`;
    assertEquals(await denied.refuses("log", "--log", "mnema.db", "--key", absolute), lacks(...PERMISSIONS));
    const env = { MNEMA_LOG: "/notes/mnema.db", MNEMA_KEY: "/notes/mnema.key" };
    assertEquals(
      await mnema.with({ permissions: others, env }).refuses("init"),
      lacks("--allow-read=/notes", "--allow-write=/notes"),
    );
  });
});

Deno.test("no command bypasses a missing permission or changes a file without it", async () => {
  await withNode(async (mnema) => {
    await mnema.does("append", "note", "{}");
    const before = contentsOf(mnema.folder);
    for (const name of ["--allow-read", "--allow-ffi", "--allow-env"]) {
      const denied = mnema.with({ permissions: without(name) });
      const said = await Promise.all(COMMANDS.map((args) => denied.refuses(...args)));
      assertEquals(said, COMMANDS.map(() => lacks(FLAGS[name])));
    }
    const readonly = mnema.with({ permissions: without("--allow-write") });
    assertEquals(await readonly.refuses("append", "note", "{}"), lacks("--allow-write=."));
    assertEquals(await readonly.refuses("export", "new.jsonl"), lacks("--allow-write=."));
    assertEquals(contentsOf(mnema.folder), before);
  });
});

Deno.test("files outside the allowed folder are neither read nor written", async () => {
  await inFolder(async (outside) => {
    await outside.does("init");
    const before = contentsOf(outside.folder);
    const [read, write] = [`--allow-read=${outside.folder}`, `--allow-write=${outside.folder}`];
    await withNode(async (mnema) => {
      const refused: [args: string[], ...flags: string[]][] = [
        [["heads", "--log", `${outside.folder}/mnema.db`], read, write],
        [["append", "note", "{}", "--log", `${outside.folder}/mnema.db`], read, write],
        [["id", "--key", `${outside.folder}/mnema.key`], read, write],
        [["append", "note", "--body", `${outside.folder}/mnema.key`], read],
        [["import", `${outside.folder}/mnema.key`], read],
        [["export", `${outside.folder}/new.jsonl`], write],
        [["init", "--log", `${outside.folder}/new.db`], read, write],
        [["init", "--log", "new.db", "--key", `${outside.folder}/new.key`], read, write],
      ];
      for (const [args, ...flags] of refused) assertEquals(await mnema.refuses(...args), lacks(...flags));
      assertEquals(Object.keys(contentsOf(mnema.folder)), ["mnema.db", "mnema.key"]);
    });
    assertEquals(contentsOf(outside.folder), before);
  });
});

Deno.test("id needs only permission to read the key and MNEMA_KEY", async () => {
  await withNode(async (mnema) => {
    const permissions = ["--allow-read=mnema.key", "--allow-env=MNEMA_KEY"];
    assertEquals(await mnema.with({ permissions }).does("id"), await mnema.does("id"));
  });
});

Deno.test({
  name: "no command prompts for a permission on a terminal",
  ignore: noTerminal,
  async fn() {
    await withNode(async (mnema) => {
      await mnema.does("append", "note", "{}");
      Deno.symlinkSync("/mnema.db", `${mnema.folder}/link.db`);
      const commands =
        `append note {}; log; audit; claims; import /x.jsonl; init --log new.db --key new.key; export /x.jsonl; append note --body /x.json; log --log link.db
        sync ws://127.0.0.1:1; sync ssh://far/log; sync /x.db; serve --listen 127.0.0.1:0 --log /x.db
        checkpoint --out /x; verify /x.proof --op /x.json --key x; id; init --log link.db; stream nats://127.0.0.1:1 --stream team --creds /x`;
      const script = commands.split(/[;\n]/).map((args) => `mnema ${args.trim()}`).join("\n");
      for (const permissions of [[], without("--allow-ffi"), without("--allow-read"), PERMISSIONS]) {
        // A prompt would be shown, and wait for an answer.
        const { out } = await mnema.with({ permissions, mayPrompt: true }).terminal(script);
        assertEquals(out.match(/Allow\?/), null, out);
      }
    });
  },
});
