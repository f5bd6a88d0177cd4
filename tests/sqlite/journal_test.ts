import { assertEquals } from "@std/assert";
import { withFolder } from "../folder.ts";
import { canInstallLayer } from "../torture/layer.ts";

const ignore = !canInstallLayer();
/** The syncs of a commit: what is to be undone, that it is so, what is done, and that it is not to be undone. */
const COMMIT = ["sync journal", "sync journal", "sync log", "sync folder"];

/** What is synced when an operation is appended to a log with a rollback journal, and then again. */
function syncsOf(durability: "full" | "normal"): Promise<Record<string, string[]>> {
  return withFolder(async (folder) => {
    const script = decodeURIComponent(new URL("journal.ts", import.meta.url).pathname);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", script, `${folder}/log.db`, durability],
    }).output();
    const syncs: Record<string, string[]> = { first: [], second: [], ingest: [] };
    for (const line of new TextDecoder().decode(stdout).trimEnd().split("\n")) {
      const [when, what] = line.split(": ");
      syncs[when]?.push(what);
    }
    return syncs;
  });
}

Deno.test({
  name: "with a rollback journal, what the log holds already is committed again before an append of it returns",
  ignore,
  async fn() {
    assertEquals(await syncsOf("full"), { first: COMMIT, second: COMMIT, ingest: COMMIT });
  },
});

Deno.test({
  name: "with a rollback journal and durability normal, a commit leaves out only the sync of the deletion",
  ignore,
  async fn() {
    assertEquals((await syncsOf("normal")).first, COMMIT.slice(0, 3));
  },
});
