/**
 * Checks what a log proves, without the log: signed checkpoints, that a log holds an operation, and that one checkpoint's
 * log is the beginning of another's. Runs in a browser as well, and needs no permission.
 *
 * @example
 * ```ts
 * import { verifyInclusion } from "@mnema/oplog/proof";
 * import { assertEquals } from "@std/assert";
 *
 * const wire =
 *   '{"author":"mnk_8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","body":{"text":"hello"},' +
 *   '"op_id":"op_86bec4bb235175f40abaa2f8bd1c4777c0fe4e774b0f170cf5456b65647f3b52","prev":[],' +
 *   '"sig":"c65864922945821710efff07cd0c87f35c81ccb3eeff33e59237361a98970706' +
 *   'cf25f6c63db04ffa3678b6bbe70c3c157d1155549c51cbba6f5bd4bd08e72608",' +
 *   '"ts":1700000000000,"type":"note","v":1}';
 * const proof = `c2sp.org/tlog-proof@v1
 * index 0
 * Di2oDr2ZfWrJsjS1+cihW/aiaNJyaczTQCuXwWm8SHU=
 *
 * example.org/log
 * 2
 * 950AkPaiB2ejgisBFdrdSRCr1lz+sfB+0JTCbjkHQUc=
 *
 * — example.org/log jxP55EU2vaiQNMy5/7xISOqiZVh+aSZlyDWMCveAsfRujXhh9xq/fC8ch6iV9Nybu/1IPdKWJLifhzZWU6KUQSNg2gQ=
 * `;
 * const vkey = "example.org/log+8f13f9e4+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
 *
 * const { index, size } = verifyInclusion(proof, wire, vkey); // throws a ProofError otherwise
 * assertEquals([index, size], [0, 2]);
 * ```
 *
 * @module
 */

export { LogError, ProofError } from "./src/errors.ts";
export type { LogErrorCode } from "./src/errors.ts";
export { verifierKey, verifyCheckpoint } from "./src/tlog/checkpoint.ts";
export type { Checkpoint, TreeHead } from "./src/tlog/checkpoint.ts";
export { checkConsistency, verifyConsistency } from "./src/tlog/consistency.ts";
export { verifyInclusion } from "./src/tlog/inclusion.ts";
