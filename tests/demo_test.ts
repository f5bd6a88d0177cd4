import { assertEquals, assertStringIncludes } from "@std/assert";
import { withFolder } from "./folder.ts";

Deno.test("the demo succeeds and leaves no files behind", () => {
  withFolder((folder) => {
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "demo"],
      cwd: new URL("../", import.meta.url),
      env: { TMPDIR: folder },
    }).outputSync();
    const out = new TextDecoder().decode(stdout);
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], out);
    assertStringIncludes(out, "new 118, known 0, refused 0");
    assertStringIncludes(out, "missing here 1, missing there 1");
    assertStringIncludes(out, "missing here 0, missing there 0");
    assertStringIncludes(out, "refused: operation op_");
    assertStringIncludes(out, 'lae.travel = "postpone"');
    assertStringIncludes(out, "2 claims fell");
    assertStringIncludes(out, "Invalidated by op_");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});
