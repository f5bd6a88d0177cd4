import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { LogError } from "../../mod.ts";
import { openCommand, parseRemoteLog } from "../../sync.ts";
import { remoteArguments } from "../../src/sync/command.ts";
import { withFolder } from "../folder.ts";
import { bytes, rejectsWith } from "./transports.ts";

const REMOTE = parseRemoteLog("ssh://far/mnema.db");

/** Writes a program in place of `ssh`, and returns its path. */
function standIn(folder: string, script: string): string {
  const path = `${folder}/ssh`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

Deno.test("an address names the machine, the user, the port and the path", () => {
  assertEquals(parseRemoteLog("ssh://far/srv/mnema.db"), {
    destination: "far",
    port: undefined,
    path: "/srv/mnema.db",
  });
  assertEquals(parseRemoteLog("ssh://me@far.example:2222/~/notes/my%20log.db"), {
    destination: "me@far.example",
    port: "2222",
    path: "notes/my log.db",
  });
  assertEquals(parseRemoteLog("ssh://[::1]/x").destination, "::1");
});

Deno.test("an address cannot become an option of ssh, or more than one word of the remote shell", () => {
  const odd = [
    "ssh://-oProxyCommand=touch%20x/log",
    "ssh://-v/log",
    "ssh://-v@far/log",
    "ssh://a%20b@far/log",
    "ssh://far%20-v/log",
    "ssh://far;id/log",
    "ssh://$(id)/log",
    "ssh://me:secret@far/log",
    "ssh://far/a%0Ab",
    "ssh://far/log?x",
    "ssh://far/log#x",
    "ssh://far/%FF",
    "ssh://far/",
    "ssh://far",
    "ssh:///log",
    "ssh:far",
    "far:/log",
    "",
  ];
  for (const address of odd) {
    const error = assertThrows(() => parseRemoteLog(address), LogError);
    assertEquals(error.code, "invalid-argument", address);
  }
  const path = `it's $(id) \`id\` "; rm -rf ~ #`;
  const [dashes, destination, command] = remoteArguments({ destination: "far", path });
  assertEquals([dashes, destination], ["--", "far"]);
  const script = `mnema() { printf '%s\\n' "$@"; }\n${command.replace("'mnema'", "mnema")}`;
  const { stdout } = new Deno.Command("sh", { args: ["-c", script] }).outputSync();
  assertEquals(new TextDecoder().decode(stdout), `sync\n--stdio\n--log\n${path}\n`);
  assertStringIncludes(remoteArguments({ destination: "far", path: "-x" })[2], "'./-x'");
});

Deno.test("messages go through the command, and closing waits for its end", async () => {
  await withFolder(async (folder) => {
    const program = standIn(folder, `echo "$@" > ${folder}/args; cat; echo over > ${folder}/end`);
    const channel = openCommand(REMOTE, { program });
    await channel.send(bytes("hello"));
    assertEquals(await channel.receive(), bytes("hello"));
    await channel.close();
    assertEquals(Deno.readTextFileSync(`${folder}/end`), "over\n");
    assertStringIncludes(Deno.readTextFileSync(`${folder}/args`), "sync --stdio --log");
  });
});

Deno.test("a command that fails is unreachable, with its exit code, and its errors are passed on escaped", async () => {
  await withFolder(async (folder) => {
    const lines: string[] = [];
    const program = standIn(folder, `printf 'no \\033[31mroute\\nto the host' >&2; exit 255`);
    const channel = openCommand(REMOTE, { program, onStderr: (line) => lines.push(line) });
    const error = await rejectsWith("unreachable", () => channel.receive());
    assertStringIncludes(error.message, "ended with code 255");
    assertEquals(lines, ["no \\u001b[31mroute", "to the host"]);
    await channel.close();
  });
});

Deno.test("a command that the other machine does not find is explained", async () => {
  await withFolder(async (folder) => {
    const channel = openCommand(REMOTE, { program: standIn(folder, "exit 127") });
    const error = await assertRejects(() => channel.receive(), LogError);
    assertEquals(error.code, "io"); // another attempt would not succeed
    assertStringIncludes(error.message, "finds mnema");
    await channel.close();
  });
});

Deno.test("a program that cannot be started is unreachable", async () => {
  await rejectsWith("unreachable", async () => {
    await openCommand(REMOTE, { program: "/there-is-no-such-program" }).close();
  });
});

Deno.test("a command that does not end by itself is ended", async () => {
  await withFolder(async (folder) => {
    const channel = openCommand(REMOTE, { program: standIn(folder, `exec sleep 1000`) });
    await channel.close();
    await rejectsWith("unreachable", () => channel.send(bytes("late")));
  });
});

Deno.test("endless errors of a command take bounded memory", async () => {
  await withFolder(async (folder) => {
    const lengths: number[] = [];
    const program = standIn(folder, `head -c 3000000 /dev/zero | tr '\\0' x >&2`);
    const channel = openCommand(REMOTE, { program, onStderr: (line) => lengths.push(line.length) });
    assertEquals(await channel.receive(), undefined);
    await channel.close();
    assertEquals(lengths, [1000]);
  });
});
