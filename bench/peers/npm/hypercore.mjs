/**
 * Measures hypercore (Holepunch): an append-only log of one writer. The tree head is signed after each append: one
 * signature for a batch.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import Hypercore from "hypercore";
import { measureStore } from "./measure.mjs";

const { version } = JSON.parse(readFileSync(new URL("./node_modules/hypercore/package.json", import.meta.url), "utf8"));

await measureStore(version, async (path) => {
  const core = new Hypercore(path);
  await core.ready();
  return {
    append: (payload) => core.append(Buffer.from(payload)),
    appendMany: (payloads) => core.append(payloads.map((payload) => Buffer.from(payload))),
    async readAll() {
      let count = 0;
      for await (const _ of core.createReadStream()) count++;
      return count;
    },
    get: (index) => core.get(index),
    close: () => core.close(),
  };
});
