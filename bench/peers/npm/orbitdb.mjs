/**
 * Measures OrbitDB's events database: a log of entries that are each signed and content-addressed, in an IPFS block store on
 * disk, without a network.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { createOrbitDB } from "@orbitdb/core";
import { LevelBlockstore } from "blockstore-level";
import { createHelia } from "helia";
import { measureStore } from "./measure.mjs";

const { version } = JSON.parse(
  readFileSync(new URL("./node_modules/@orbitdb/core/package.json", import.meta.url), "utf8"),
);

await measureStore(version, async (path) => {
  const blockstore = new LevelBlockstore(`${path}/blocks`);
  await blockstore.open();
  const ipfs = await createHelia({ start: false, blockstore });
  const orbitdb = await createOrbitDB({ ipfs, directory: `${path}/orbitdb` });
  const log = await orbitdb.open("log", { sync: false });
  const hashes = [];
  return {
    append: async (payload) => hashes.push(await log.add(JSON.parse(payload))),
    async readAll() {
      let count = 0;
      for await (const _ of log.iterator()) count++;
      return count;
    },
    get: (index) => log.get(hashes[index]),
    async close() {
      await log.close();
      await orbitdb.stop();
      await blockstore.close();
    },
  };
});
process.exit(0); // the node that was not started keeps the process otherwise
