import { assertEquals, assertStringIncludes } from "@std/assert";
import { contentsOf, withDatabase, withFolder } from "../folder.ts";
import { works } from "../processes.ts";
import { Mnema } from "./mnema.ts";

/** Remounts the current folder read-only and enters it. */
const MOUNT = 'mount --bind . . && mount -o remount,bind,ro "$PWD" && cd "$PWD"';

Deno.test({
  name: "on a read-only medium, commands that read work and commands that write report why they fail",
  ignore: !withFolder((folder) => works("unshare", "-rm", "bash", "-c", `cd ${folder} && ${MOUNT}`)),
  async fn() {
    await withFolder(async (folder) => {
      const mnema = new Mnema(folder);
      await mnema.run("init");
      const content = '{"source":"shop","kind":"receipt","content":{"item":"tea"}}';
      const tea = (await mnema.does("append", "evidence.add", content)).trim();
      await mnema.run("assert", "drink", "tea", "--confidence", "0.8", "--deriver", "taste@1", "--from", tea);
      await mnema.run("checkpoint", "--out", "checkpoint");
      await mnema.run("prove", tea, "--out", "proof");
      await mnema.bash(`mnema export | head -n 1 > tea.json`);
      const before = contentsOf(folder);
      const reading = [
        `show ${tea}`,
        "log",
        "heads",
        "stats",
        "export",
        "claims",
        "explain drink",
        `prove ${tea}`,
        "consistency checkpoint",
        'verify proof --op tea.json --key "$(mnema vkey)"',
        "audit",
      ];
      const writing = ["append note {}", "checkpoint", "rebuild"];
      const lines = [...reading, ...writing].map((command) => `mnema ${command} > /dev/null; echo $?`);
      const script = `export -f mnema; unshare -rm bash -c '${MOUNT}; ${lines.join("; ")}'`;
      const { out, err } = await mnema.bash(script);
      assertEquals(out.trim().split("\n"), [...reading.map(() => "0"), ...writing.map(() => "1")], err);
      const sentence = "mnema: mnema.db cannot be written";
      assertEquals(err.trim().split("\n").map((line) => line.slice(0, sentence.length)), writing.map(() => sentence));
      assertEquals(contentsOf(folder), before);
    });
  },
});

Deno.test("a log with a foreign trigger can be read but not written", async () => {
  await withFolder(async (folder) => {
    const mnema = new Mnema(folder);
    await mnema.run("init");
    await mnema.does("append", "note", "{}");
    withDatabase(`${folder}/mnema.db`, (database) => {
      database.exec("CREATE TRIGGER thief AFTER INSERT ON mnema_heads BEGIN SELECT 1; END");
    });
    const before = contentsOf(folder);
    for (const command of ["log", "heads", "claims", "stats"]) {
      assertEquals((await mnema.run(command)).code, 0, command);
    }
    assertStringIncludes(await mnema.refuses("append", "note", '{"n":2}'), "thief");
    assertEquals(contentsOf(folder), before);
  });
});
