import { assert, assertEquals } from "@std/assert";
import { withFolder } from "../folder.ts";
import { runChild } from "./children/run.ts";

/** A b-tree of more rows may have another level: some pages of each that is used. */
const MORE_BYTES = 128 << 10;

Deno.test({
  name: "what is read to open a log and use it once does not grow with the log",
  ignore: Deno.build.os !== "linux", // which counts the bytes that a process reads
  fn: () =>
    withFolder(async (folder) => {
      const sizes = [100, 12_000];
      const reports = await Promise.all(
        sizes.map((size) => runChild("read_bytes.ts", [`${folder}/${size}.db`, `${size}`])),
      );
      const [small, large] = reports.map((report) => {
        assert("value" in report, JSON.stringify(report));
        return report.value as Record<string, number>;
      });
      const grown = Object.keys(large).filter((what) => large[what] > small[what] + MORE_BYTES);
      assertEquals(grown.map((what) => `${what}: ${small[what]} bytes, then ${large[what]}`), []);
    }),
});
