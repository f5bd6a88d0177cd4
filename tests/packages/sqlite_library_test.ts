// The failure of @db/sqlite when its native library cannot be loaded.

import { assertEquals } from "@std/assert";
import { withFolder } from "../folder.ts";

const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);

/** The output of importing the package in a process with these permissions, without a library in the environment. */
async function importWith(permissions: string[]): Promise<unknown> {
  const script = `
    try {
      await import("@db/sqlite");
    } catch (error) {
      const { constructor, message, cause } = error;
      console.log(JSON.stringify([constructor.name, message, cause instanceof Deno.errors.NotCapable]));
    }`;
  return await withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/script.ts`, script);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--config", config, ...permissions, `${folder}/script.ts`],
      env: { DENO_SQLITE_PATH: `${folder}/none.so`, DENO_SQLITE_LOCAL: "" },
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  });
}

Deno.test("a library that cannot be loaded is a plain Error with the reason as its cause", async () => {
  const env = "--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL";
  const wrapped = (isDenied: boolean) => ["Error", "Failed to load SQLite3 Dynamic Library", isDenied];
  assertEquals(await importWith([env, "--allow-ffi"]), wrapped(false));
  assertEquals(await importWith([env]), wrapped(true));
  assertEquals(await importWith(["--allow-ffi"]), wrapped(true));
});
