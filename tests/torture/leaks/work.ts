/**
 * What a program does again and again for months, for the search for leaks.
 *
 * @module
 */

import { audit, Operation, OpLog } from "../../../mod.ts";
import { pages } from "../../../src/web/pages.ts";
import { channelPair, runSession, serve } from "../../../sync.ts";
import { chain, makeFile } from "../../audit/tamper.ts";
import { alice, bob } from "../../operations.ts";

/** One kind of work, and how to end it. */
export interface Work {
  /** Does it once. */
  once(n: number): void | Promise<void>;
  /** Lets go of what was kept open. */
  end?(): void | Promise<void>;
}

/** How often a kind of work is done: in the first step of it, in the second, and in all that follow. */
export interface WorkEntry {
  /** How many times, or `{ seconds }`. */
  readonly amounts: readonly [Amount, Amount, Amount];
  /** How many page caches fill: those of logs that stay open and grow to more than a few megabytes. */
  readonly caches: number;
  /** Prepares it, in an empty folder. */
  start(folder: string): Work | Promise<Work>;
}

/** A number of times, or for so long. */
export type Amount = { readonly times: number } | { readonly seconds: number };

/** Every kind of work, by its name in the report. */
export const WORK: Readonly<Record<string, WorkEntry>> = {
  opens: {
    amounts: [{ times: 150 }, { times: 1000 }, { times: 10_000 }],
    caches: 0,
    start: (folder) => ({
      once(n) {
        using log = OpLog.open(`${folder}/log.db`, { readonly: n % 4 === 1 });
        if (n % 10 === 0) log.record(alice, "note", { n });
        if (log.heads().length !== 1) throw new Error("a log of one author has one head");
        log.claims.current("drink");
      },
    }),
  },
  appends: {
    amounts: [{ times: 500 }, { seconds: 60 }, { seconds: 600 }],
    caches: 1,
    start(folder) {
      const log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
      return {
        once(n) {
          if (n % 2 === 0) log.record(alice, "note", { n });
          else log.claims.assert(alice, { key: `key ${n % 50}`, value: n });
          if (n % 100 === 0) log.proofs.checkpoint(alice);
        },
        end: () => log.close(),
      };
    },
  },
  ingests: {
    amounts: [{ times: 10 }, { times: 100 }, { times: 1000 }],
    caches: 0,
    start() {
      const lines = chain(200).map(({ wire }) => wire).join("\n");
      return {
        async once() {
          using log = OpLog.open();
          const report = await log.ingest(new Blob([lines]).stream(), { workers: 1 });
          if (report.new !== 200) throw new Error(`${report.new} of 200 operations are new`);
        },
      };
    },
  },
  audits: {
    amounts: [{ times: 15 }, { times: 200 }, { times: 2000 }],
    caches: 0,
    start(folder) {
      const path = `${folder}/log.db`;
      makeFile(path, chain(20));
      return {
        async once() {
          if (!(await audit(path, { workers: 0 })).clean) throw new Error("the log is not clean");
        },
      };
    },
  },
  follows: {
    amounts: [{ times: 100 }, { times: 2000 }, { times: 20_000 }],
    caches: 1,
    start(folder) {
      const log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
      return {
        async once(n) {
          const followed = log.follow();
          const next = followed.next();
          const op = Operation.create({ type: "note", body: { n }, ts: n }, alice);
          log.append(op);
          if ((await next).value?.op.opId !== op.opId) throw new Error("what is appended is followed");
          await followed.return();
        },
        end: () => log.close(),
      };
    },
  },
  sessions: {
    amounts: [{ times: 20 }, { times: 200 }, { times: 1000 }],
    caches: 0,
    start(folder) {
      const [here, there] = ["here", "there"].map((name) =>
        OpLog.open(`${folder}/${name}.db`, { durability: "normal" })
      );
      return {
        async once(n) {
          here.record(alice, "note", { n });
          const [near, far] = channelPair();
          const [report] = await Promise.all([
            runSession(here, near, { signer: alice, role: "initiator" }),
            runSession(there, far, { signer: bob, role: "responder" }),
          ]);
          if (report.sent.new !== 1) throw new Error(`${report.sent.new} operations are new, not one`);
        },
        end() {
          here.close();
          there.close();
        },
      };
    },
  },
  requests: {
    amounts: [{ times: 60 }, { times: 1000 }, { times: 5000 }],
    caches: 0,
    async start(folder) {
      const path = `${folder}/log.db`;
      const log = OpLog.open(path, { durability: "normal" });
      const site = pages(log, { path, signer: alice });
      const server = await serve(log, { signer: alice, fetch: site.fetch });
      const address = site.listensAt({ ...server.address, isSecure: false });
      const entered = await fetch(address, { redirect: "manual" });
      await entered.body?.cancel();
      const cookie = entered.headers.get("set-cookie")!.split(";")[0];
      const { opId } = log.claims.assert(alice, { key: "drink", value: "tea" });
      const paths = ["/", "/claims", "/log", `/operations/${opId}`, "/claims.json", "/events", "/nothing"];
      return {
        async once(n) {
          if (n % 10 === 0) log.claims.assert(alice, { key: `key ${n % 50}`, value: n });
          const path = paths[n % paths.length];
          const response = await fetch(new URL(path, address), { headers: { cookie } });
          if (path === "/events") await response.body?.cancel(); // it does not end
          else await response.arrayBuffer();
          const status = path === "/nothing" ? 404 : 200;
          if (response.status !== status) throw new Error(`${path} has the status ${response.status}`);
        },
        async end() {
          await site.close();
          await server.close();
          log.close();
        },
      };
    },
  },
};
