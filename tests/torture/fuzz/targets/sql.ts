/**
 * SQL in the schema of a file, which may be hostile: what is compared and searched in it is what SQLite's tokens say.
 *
 * @module
 */

import { declarationOf, hasKeyword, isPlainIndex, isSameSql, lowerCase, tokensOf } from "../../../../src/sqlite/sql.ts";
import { FOLLOWERS } from "../../../../src/built_in.ts";
import { bytesOf, require, type Target, textOf } from "../target.ts";

const STATEMENTS = [
  "CREATE TABLE ops (seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE)",
  "CREATE INDEX idx_ops_type ON ops(type)",
  "CREATE TRIGGER ops_no_update BEFORE UPDATE ON ops BEGIN SELECT RAISE(ABORT, 'a ''b'' [c'); END",
  'CREATE UNIQUE INDEX "a""b" ON `Ops` ([ts] DESC, x)',
  "CREATE/**/VIEW v AS SELECT 1 --x\n",
  "CREATE VIRTUAL TABLE f USING fts5 (x)",
];

export const target: Target = {
  start: () => ({
    seeds: STATEMENTS.map(bytesOf),
    tokens: [
      ...["'", '"', "`", "[", "]", "/*", "*/", "--", "\n", "''", '""', "->>", "<>", "$", "\u0130", "\u212a", "İ", "("],
      ...[
        "CREATE ",
        "TABLE",
        "INDEX",
        "UNIQUE ",
        "VIRTUAL ",
        "TRIGGER",
        "VIEW",
        " ON ",
        "AS",
        "GENERATED",
        "CHECK",
        "main.",
      ],
      ...FOLLOWERS.flatMap(({ tables }) => Object.keys(tables)).slice(0, 5),
    ],
    run(input) {
      const sql = textOf(input);
      const tokens = [...tokensOf(sql)];
      require(tokens.length <= sql.length, "a token has a character");
      require(tokens.every(({ kind, text }) => kind === "name" || text !== ""), "only a quoted name is empty");
      require(isSameSql(sql, sql), "a statement is the same as itself");
      require(
        isSameSql(` ${sql}\n`, sql) || /["`'[]/.test(sql) || /--[^\n]*$|\/\*/.test(sql),
        "white space says nothing",
      );
      for (const other of STATEMENTS) {
        if (isSameSql(sql, other)) {
          require(tokens.length === [...tokensOf(other)].length, "the same has as many tokens");
        }
      }
      const declared = declarationOf(sql);
      if (declared !== undefined) {
        require(lowerCase(sql).includes(declared.type), "the type of what is declared is in the statement");
        require(lowerCase(declared.name) === declared.name, "names are in lower case");
      }
      require(!isPlainIndex(sql) || /\bon\b/i.test(sql), "an index is on a table");
      require(!hasKeyword(sql, new Set(["CHECK"])) || /check/i.test(sql), "a keyword is in the statement");
    },
  }),
};
