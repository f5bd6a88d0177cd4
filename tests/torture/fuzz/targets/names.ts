/**
 * What a person types to name an operation or an author, and what of a text is shown.
 *
 * @module
 */

import { AmbiguousIdError, NotFoundError, OpLog } from "../../../../mod.ts";
import { visible, visibleLine } from "../../../../src/text.ts";
import { isAuthor } from "../../../../src/keys/author.ts";
import { isPrivateKey } from "../../../../src/keys/private_key.ts";
import { isOpId } from "../../../../src/wire/ids.ts";
import { isType } from "../../../../src/wire/envelope.ts";
import { vectorOperations } from "../../../operations.ts";
import { attempt, bytesOf, require, type Target, textOf } from "../target.ts";

const CONTROL = /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u;

export const target: Target = {
  start() {
    const log = OpLog.open();
    const ops = vectorOperations();
    log.appendAll(ops);
    const ids = new Set(ops.map(({ opId }) => opId));
    const authors = new Set(ops.map(({ author }) => author));
    return {
      seeds: [ops[0].opId, ops[1].opId.slice(0, 9), "op_", `${ops[2].opId.slice(0, 12)}…`, ops[0].author, "mnk_8", "é"]
        .map(bytesOf),
      tokens: ["op_", "mnk_", "…", "%", "_", "'", "*", "?", "[", ...[...ids].slice(0, 5)],
      run(input) {
        const text = textOf(input);
        const codes = ["invalid-argument", "not-found", "ambiguous-id"] as const;
        const op = attempt(() => log.resolve(text), ...codes);
        if (op.error === undefined) {
          require(ids.has(op.value) && op.value.startsWith(text.replace("…", "")), "it is meant");
        } else if (op.error.code === "not-found") require(op.error instanceof NotFoundError, "it is a NotFoundError");
        else if (op.error instanceof AmbiguousIdError) require(op.error.candidates.length > 1, "several are meant");
        const author = attempt(() => log.resolveAuthor(text), ...codes);
        if (author.error === undefined) require(authors.has(author.value), "an author of the log is meant");
        require(log.has(text) === ids.has(text), "has knows whole ids only");
        require(attempt(() => log.get(text), "not-found").error === undefined === ids.has(text), "so does get");
        require(!isOpId(text) || text.length === 67, "an id has one length");
        require(!isAuthor(text) || text.length === 68, "an author id has one length");
        require(!isType(text) || /^[a-z0-9_.]{1,128}$/.test(text), "a type is made of a few characters");
        require(!isPrivateKey(text) || text.length > 9, "a private key is longer");
        require(!CONTROL.test(visibleLine(text)), "nothing that is shown controls a terminal");
        require(visible(text).split("\n").length === text.split("\n").length, "lines stay lines");
      },
      close: () => log.close(),
    };
  },
};
