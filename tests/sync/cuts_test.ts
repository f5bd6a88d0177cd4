import { assert, assertEquals } from "@std/assert";
import { type LogError, OpLog } from "../../mod.ts";
import { type Channel, channelPair, runSession, SyncError } from "../../sync.ts";
import { decodeMessage, type MessageKind } from "../../src/sync/messages.ts";
import { withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { assertAuditsClean, assertEqualLogs, inProcess, syncPair } from "./channels.ts";

const BOTH = ["hello", "proof", "ranges", "operations", "outcomes", "caught-up", "end", "totals"] as const;
const INITIATOR = [...BOTH, "request", "plan", "wants"] as const;
const RESPONDER = [...BOTH, "accept"] as const;

for (const side of ["initiator", "responder"] as const) {
  for (const kind of side === "initiator" ? INITIATOR : RESPONDER) {
    for (const moment of ["before", "after"] as const) {
      Deno.test(`a connection that is cut ${moment} ${kind} of the ${side} loses nothing, and the next session completes`, () =>
        withFolder(async (folder) => {
          const [pathA, pathB] = [`${folder}/a.db`, `${folder}/b.db`];
          {
            using a = OpLog.open(pathA);
            using b = OpLog.open(pathB);
            for (let n = 0; n < 20; n++) {
              a.record(alice, "note", { n });
              b.record(bob, "note", { n });
            }
            const cut = cuttingPair(side, kind, moment);
            const stop = new AbortController();
            const limits = { operationsInFlight: 4 };
            const ends = await Promise.allSettled([
              runSession(a, cut.initiator, {
                signer: alice,
                role: "initiator",
                follow: true,
                limits,
                signal: stop.signal,
                // Both have caught up: the session is ended in good order, unless it is cut.
                onStatus: ({ phase, received }) => phase === "follow" && received.new === 20 && stop.abort(),
              }),
              runSession(b, cut.responder, { signer: bob, role: "responder", limits }),
            ]);
            assert(cut.wasCut());
            const failed = ends.filter((end) => end.status === "rejected").map(({ reason }) => reason);
            // The side whose last message was cut off from the other may have everything it needs.
            assert(failed.length > 0 || kind === "totals");
            for (const error of failed as LogError[]) {
              assertEquals([error instanceof SyncError, error.code], [true, "unreachable"]);
            }
            assert(a.size >= 20 && b.size >= 20);
            await syncPair(inProcess, a, b);
            assertEquals(a.size, 40);
            assertEqualLogs(a, b);
          }
          await assertAuditsClean(pathA);
          await assertAuditsClean(pathB);
        }));
    }
  }
}

/** A pair whose connection is cut when a side first sends a message of a kind: before it arrives, or after. */
function cuttingPair(side: "initiator" | "responder", kind: MessageKind, moment: "before" | "after") {
  const [initiator, responder] = channelPair();
  let isCut = false;
  const cutting = (channel: Channel): Channel => ({
    receive: () => channel.receive(),
    send: async (message) => {
      const isTheOne = !isCut && decodeMessage(message).kind === kind;
      if (isTheOne && moment === "before") {
        isCut = true;
        await channel.close();
      }
      await channel.send(message);
      if (isTheOne && moment === "after") {
        isCut = true;
        await channel.close();
      }
    },
    close: () => channel.close(),
  });
  const ends = side === "initiator"
    ? { initiator: cutting(initiator), responder }
    : { initiator, responder: cutting(responder) };
  return { ...ends, wasCut: () => isCut };
}
