/**
 * Blocks that are checked in workers: the results are those of the calling thread, byte for byte.
 *
 * @module
 */

import type { Block } from "../../../../src/ingest/blocks.ts";
import { checkBlock, type CheckedBlock } from "../../../../src/ingest/check.ts";
import { CheckPool } from "../../../../src/ingest/pool.ts";
import { vectorLines } from "../../../operations.ts";
import { bytesOf, require, type Target, textOf } from "../target.ts";

const MAX_BYTES = 2000;
/** So many bytes start a worker. */
const ENOUGH = 1 << 18;

function shown({ positions, bytes, table, at, refusals }: CheckedBlock): string {
  return JSON.stringify([positions, bytes.toBase64(), table.toBase64(), [...at], refusals]);
}

export const target: Target = {
  async start() {
    const pool = new CheckPool(1, MAX_BYTES);
    await pool.check({ bytes: bytesOf("{}\n".repeat(ENOUGH / 3)) });
    const check = async (block: () => Block, what: string) => {
      const here = shown(checkBlock(block(), { maxBytes: MAX_BYTES, bodies: true }));
      require(shown(await pool.check(block())) === here, `a worker gives the same result for ${what}`);
    };
    return {
      seeds: [vectorLines().slice(0, 4).join("\n"), `${vectorLines()[0]}\n\n{}`].map(bytesOf),
      tokens: ["\n", "\r\n", Uint8Array.of(0xff), Uint8Array.of(0xc0, 0x80)],
      async run(input) {
        await check(() => ({ bytes: new Uint8Array(input) }), "lines");
        await check(() => ({ texts: textOf(input).split("\n") }), "texts");
      },
      close: () => pool.close(),
    };
  },
};
