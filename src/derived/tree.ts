/**
 * The Merkle tree over a log (RFC 6962), stored in tiles as in Go's `sumdb/tlog`: a tile holds up to 256 neighbouring
 * hashes of one height, and only every eighth height is stored, 32 bytes an operation and little more. The heights
 * between are computed from a tile when they are needed.
 *
 * All hashes in tiles are of complete subtrees, so they never change; a tile that is not full yet grows.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Batch } from "./batch.ts";
import { derivedDamaged, derivedRow } from "./damage.ts";
import type { Run, TableProjection } from "./table_projection.ts";
import { HASH_BYTES } from "../bytes.ts";
import { type HashReader, treeRoot } from "../tlog/merkle.ts";
import { nodeHash } from "../tlog/node_hash.ts";

const HEIGHT = 8;
const WIDTH = 2 ** HEIGHT;
const TILE_BYTES = WIDTH * HASH_BYTES;
/** A tile's number: its layer, then its place in it. */
const LAYER = 2 ** 44;

const SELECT_TILE = "SELECT hashes FROM mnema_tiles WHERE id = ?";
const SELECT_LAST_TILE = "SELECT id, hashes FROM mnema_tiles WHERE id < ? ORDER BY id DESC LIMIT 1";
const UPSERT_TILE = "INSERT OR REPLACE INTO mnema_tiles (id, hashes) VALUES (?, ?)";

/** The Merkle tree over the wire texts in `seq` order. */
export const tree: TableProjection = {
  name: "tree",
  version: 1,
  tables: { mnema_tiles: "(id INTEGER PRIMARY KEY, hashes BLOB NOT NULL)" },
  start: (connection) => new TreeRun(connection),
};

/** The number of leaves of the stored tree. */
export function treeSize(connection: Connection): number {
  const { index, length } = lastTile(connection, 0);
  return index * WIDTH + length / HASH_BYTES;
}

/** Reads the hashes of complete subtrees. Each tile is read once. */
export function hashReader(connection: Connection): HashReader {
  const tiles = new Map<number, Uint8Array>();
  const tile = (id: number): Uint8Array => {
    let hashes = tiles.get(id);
    if (hashes === undefined) {
      hashes = checkTile(connection, derivedRow(connection, SELECT_TILE, ["bytes"], id)?.[0] ?? new Uint8Array());
      tiles.set(id, hashes);
    }
    return hashes;
  };
  return (level, index) => {
    const layer = Math.floor(level / HEIGHT);
    const leaves = 2 ** (level - layer * HEIGHT);
    const first = index * leaves; // never across tiles: subtrees begin at multiples of their size
    const at = Math.floor(first / WIDTH);
    const hashes = tile(layer * LAYER + at);
    const [start, end] = [first - at * WIDTH, first - at * WIDTH + leaves];
    if (end * HASH_BYTES > hashes.length) throw derivedDamaged(connection, "hashes of the Merkle tree are missing");
    return rootOf(hashes, start, leaves);
  };
}

/** The root of the tree of the first `size` leaves. */
export function rootAt(connection: Connection, size: number): Uint8Array {
  return treeRoot(size, hashReader(connection));
}

/** The root over neighbouring hashes of a tile; their number is a power of two. */
function rootOf(tile: Uint8Array, first: number, count: number): Uint8Array {
  if (count === 1) return tile.slice(first * HASH_BYTES, (first + 1) * HASH_BYTES);
  return nodeHash(rootOf(tile, first, count / 2), rootOf(tile, first + count / 2, count / 2));
}

function lastTile(connection: Connection, layer: number): { index: number; hashes: Uint8Array; length: number } {
  const row = derivedRow(connection, SELECT_LAST_TILE, ["integer", "bytes"], (layer + 1) * LAYER);
  if (row === undefined || row[0] < layer * LAYER) return { index: 0, hashes: new Uint8Array(), length: 0 };
  const hashes = checkTile(connection, row[1]);
  return { index: row[0] - layer * LAYER, hashes, length: hashes.length };
}

/** Refuses a tile that is not up to 256 whole hashes. */
function checkTile(connection: Connection, hashes: Uint8Array): Uint8Array {
  if (hashes.length <= TILE_BYTES && hashes.length % HASH_BYTES === 0) return hashes;
  throw derivedDamaged(connection, `a tile of the Merkle tree has ${hashes.length} bytes`);
}

/** The last tile of a layer, to which hashes are added. */
interface GrowingTile {
  index: number;
  readonly hashes: Uint8Array<ArrayBuffer>;
  length: number;
  isChanged: boolean;
}

class TreeRun implements Run {
  readonly #connection: Connection;
  readonly #layers: GrowingTile[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  apply(batch: Batch): void {
    for (const leaf of batch.leaves()) this.#add(0, leaf);
  }

  finish(): void {
    this.#layers.forEach((tile, layer) => tile.isChanged && this.#write(layer, tile));
  }

  #add(layer: number, hash: Uint8Array): void {
    const tile = this.#layers[layer] ??= this.#load(layer);
    if (tile.length === TILE_BYTES) {
      tile.index++;
      tile.length = 0;
    }
    tile.hashes.set(hash, tile.length);
    tile.length += HASH_BYTES;
    tile.isChanged = true;
    if (tile.length < TILE_BYTES) return;
    this.#write(layer, tile);
    this.#add(layer + 1, rootOf(tile.hashes, 0, WIDTH));
  }

  #load(layer: number): GrowingTile {
    const { index, hashes, length } = lastTile(this.#connection, layer);
    const growing = new Uint8Array(TILE_BYTES);
    growing.set(hashes);
    return { index, hashes: growing, length, isChanged: false };
  }

  #write(layer: number, tile: GrowingTile): void {
    this.#connection.query(UPSERT_TILE).run(layer * LAYER + tile.index, tile.hashes.subarray(0, tile.length));
    tile.isChanged = false;
  }
}
