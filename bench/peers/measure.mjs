/**
 * What is measured of each store, in Deno and in Node: appending one payload at a time and in batches, reading all of them
 * in order, and one by one in a random order.
 *
 * @module
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { argv } from "node:process";

const BATCH = 1_000;

/**
 * @typedef {object} Store
 * @property {(payload: string) => unknown} append Appends one; it is awaited.
 * @property {(payloads: string[]) => unknown} [appendMany] Appends some as one batch; it is awaited.
 * @property {() => number | Promise<number>} readAll Reads all, and returns how many there are.
 * @property {(index: number) => unknown} get Reads one of those that were appended; it is awaited.
 * @property {() => unknown} close Closes it; it is awaited.
 */

/**
 * Measures a store, and prints the rates, per second, as JSON. The arguments of the process are a file with a payload on
 * each line, and an empty folder.
 *
 * @param {string} version Of the package.
 * @param {(path: string) => Store | Promise<Store>} open Opens a store that is in a folder of that path, or is the file.
 */
export async function measureStore(version, open) {
  const [, , file, folder] = argv;
  const payloads = readFileSync(file, "utf8").trimEnd().split("\n");
  let store = await open(`${folder}/one`);
  const one = await rateOf(payloads.length, async () => {
    for (const payload of payloads) await store.append(payload);
  });
  let many;
  if (store.appendMany !== undefined) {
    await store.close();
    store = await open(`${folder}/many`);
    many = await rateOf(payloads.length, async () => {
      for (let at = 0; at < payloads.length; at += BATCH) await store.appendMany?.(payloads.slice(at, at + BATCH));
    });
  }
  let read = 0;
  const all = await rateOf(payloads.length, async () => {
    read = await store.readAll();
  });
  if (read !== payloads.length) throw new Error(`${read} of ${payloads.length} were read`);
  const get = await rateOf(payloads.length, async () => {
    // A prime: neighbours are not read together.
    for (let n = 0; n < payloads.length; n++) await store.get((n * 7919) % payloads.length);
  });
  await store.close();
  const bytes = sizeOf(folder, many === undefined ? "one" : "many");
  console.log(JSON.stringify({ version, one, many, all, get, bytes: bytes / payloads.length }));
}

/** @param {number} count @param {() => Promise<void>} work */
async function rateOf(count, work) {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1000);
}

/**
 * The bytes of all files of a store: its name is that of a folder, or the beginning of those of files.
 *
 * @param {string} folder @param {string} [prefix]
 * @returns {number}
 */
function sizeOf(folder, prefix = "") {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  return names.reduce((sum, name) => {
    const path = `${folder}/${name}`;
    const stat = statSync(path);
    return sum + (stat.isDirectory() ? sizeOf(path) : stat.size);
  }, 0);
}
