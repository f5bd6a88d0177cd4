/**
 * Messages of the reconciliation: each side answers within its limits, as the naive implementation does, or refuses.
 *
 * @module
 */

import { SyncError } from "../../../../src/errors.ts";
import { initiate, reconcile, respond } from "../../../../src/sync/negentropy/negentropy.ts";
import { naiveAnswer } from "../../../sync/negentropy/naive.ts";
import { exchange, recordsWithout, storageOf, toNaive } from "../../../sync/negentropy/records.ts";
import { attempt, bytesOf, require, type Target } from "../target.ts";

const FRAME_LIMIT = 4096;
const MAX_HAVE = 100;

export const target: Target = {
  start() {
    const records = recordsWithout(300, 7, [5, 200]);
    const storage = storageOf(records);
    const naive = toNaive(records);
    const others = [recordsWithout(300, 7, [6]), recordsWithout(500, 7), recordsWithout(40, 1), []].map(storageOf);
    const messages = others.flatMap((other) => exchange(storage, other, { frameLimit: FRAME_LIMIT }).messages);
    const ids = records.slice(0, 20).map(({ id }) => id);
    return {
      seeds: [...messages, initiate(storage), Uint8Array.of(0x61), bytesOf("text")],
      tokens: [
        ...ids,
        ...ids.slice(0, 4).map((id) => id.subarray(0, 1)),
        Uint8Array.of(0, 0, 0),
        Uint8Array.of(0, 0, 2, 1),
        Uint8Array.of(0, 0, 1),
        Uint8Array.of(0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
        Uint8Array.of(0x80),
        Uint8Array.of(0x81, 0x80),
      ],
      run(input) {
        const message = input.slice();
        const options = { frameLimit: FRAME_LIMIT, maxHave: MAX_HAVE };
        const answered = attempt(() => respond(storage, message, options), "bad-message");
        if (answered.error === undefined) {
          require(answered.value.length <= FRAME_LIMIT, "an answer is within the limit");
          if (message[0] !== 0x61) return require(answered.value.length === 1, "another version is answered with ours");
          const expected = naiveAnswer(naive, message, FRAME_LIMIT);
          require(answered.value.toHex() === expected.toHex(), "the naive implementation gives the same answer");
        } else require(answered.error instanceof SyncError, "a refusal is a SyncError");
        const learned = attempt(() => reconcile(storage, message, options), "bad-message", "unsupported-version");
        if (learned.error !== undefined) return;
        require(answered.error === undefined, "both sides refuse the same messages");
        const { reply, have, need } = learned.value;
        require((reply?.length ?? 0) <= FRAME_LIMIT && have.length <= MAX_HAVE, "what follows is within the limits");
        require(need.length <= message.length / 32, "no more ids are needed than the message has");
        require(need.every((id) => id.length === 32 && id.buffer !== message.buffer), "ids are copies");
      },
    };
  },
};
