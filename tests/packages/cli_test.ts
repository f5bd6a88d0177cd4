/** The behaviour of `@std/cli` that the command line relies on; the tests hold for the real package, too. */

import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("A long option takes its value after = or from the next argument", () => {
  const options = { string: ["log"] } as const;
  assertEquals(parseArgs(["--log=a.db"], options), { log: "a.db", _: [] });
  assertEquals(parseArgs(["--log", "a.db"], options), { log: "a.db", _: [] });
  assertEquals(parseArgs(["--log=a=b"], options), { log: "a=b", _: [] });
});

Deno.test("A string option without a value is an empty text", () => {
  const options = { string: ["log", "l"] } as const;
  assertEquals(parseArgs(["--log"], options), { log: "", _: [] });
  assertEquals(parseArgs(["-l"], options), { l: "", _: [] });
  assertEquals(parseArgs(["--log", "--json"], options), {
    log: "",
    json: true,
    _: [],
  });
  assertEquals(parseArgs([], options), { _: [] });
});

Deno.test("A value that starts with a hyphen needs the = form", () => {
  const options = { string: ["by"] } as const;
  assertEquals(parseArgs(["--by", "-5"], options), { by: "", 5: true, _: [] });
  assertEquals(parseArgs(["--by=-5"], options), { by: "-5", _: [] });
});

Deno.test("An empty argument is not taken as a value", () => {
  const args = parseArgs(["--log", ""], { string: ["log"] });
  assertEquals(args, { log: "", _: [""] });
});

Deno.test("A string option does not convert numbers, other options do", () => {
  const args = parseArgs(["--id", "007", "--n", "007", "--x=0x10"], {
    string: ["id"],
  });
  assertEquals(args, { id: "007", n: 7, x: 16, _: [] });
});

Deno.test("Arguments that look like numbers become numbers, unless _ is a string", () => {
  const args = ["12", "1e3", "00ff", " ", "--", "5"];
  assertEquals(parseArgs(args)._, [12, 1000, "00ff", " ", "5"]);
  const { _ } = parseArgs(args, { string: ["_"] });
  assertEquals(_.map(String), ["12", "1e3", "00ff", " ", "5"]);
});

Deno.test("A boolean option is false by default and takes no value but true or false", () => {
  const options = { boolean: ["json", "j"] } as const;
  assertEquals(parseArgs([], options), { json: false, j: false, _: [] });
  assertEquals(parseArgs(["--json", "a"], options), {
    json: true,
    j: false,
    _: ["a"],
  });
  assertEquals(parseArgs(["--json", "false", "-j", "true"], options), {
    json: false,
    j: true,
    _: [],
  });
  assertEquals(parseArgs(["--json=false"], options).json, false);
  assertEquals(parseArgs(["--json=yes"], options).json, true);
});

Deno.test("Every undeclared long option is boolean when boolean is true", () => {
  assertEquals(parseArgs(["--json", "a", "--n=5"], { boolean: true }), {
    json: true,
    n: 5,
    _: ["a"],
  });
});

Deno.test("An undeclared option takes the next argument as its value", () => {
  assertEquals(parseArgs(["--x", "a", "b"]), { x: "a", _: ["b"] });
  assertEquals(parseArgs(["--x", "-y"]), { x: true, y: true, _: [] });
});

Deno.test("Short options can be grouped, the last one taking a value", () => {
  assertEquals(parseArgs(["-ab"]), { a: true, b: true, _: [] });
  assertEquals(parseArgs(["-ab", "c"]), { a: true, b: "c", _: [] });
  assertEquals(parseArgs(["-ab", "c"], { boolean: ["b"] }), {
    a: true,
    b: true,
    _: ["c"],
  });
});

Deno.test("A short option takes a number or a path without a space", () => {
  assertEquals(parseArgs(["-n5"]), { n: 5, _: [] });
  assertEquals(parseArgs(["-n5"], { string: ["n"] }), { n: "5", _: [] });
  assertEquals(parseArgs(["-n=5"]), { n: 5, _: [] });
  assertEquals(parseArgs(["-I/a/b"]), { I: "/a/b", _: [] });
});

Deno.test("A lone hyphen is an argument, or a value", () => {
  assertEquals(parseArgs(["-"]), { _: ["-"] });
  assertEquals(parseArgs(["-f", "-"], { string: ["f"] }), { f: "-", _: [] });
});

Deno.test("The last of a repeated option counts, unless it is collected", () => {
  const args = ["--prev=a", "--prev", "b"];
  assertEquals(parseArgs(args, { string: ["prev"] }).prev, "b");
  const options = { string: ["prev"], collect: ["prev"] } as const;
  assertEquals(parseArgs(args, options).prev, ["a", "b"]);
  assertEquals(parseArgs(["--prev=a"], options).prev, ["a"]);
  assertEquals(parseArgs([], options).prev, []);
});

Deno.test("A collected option that is neither string nor boolean has no default", () => {
  assertEquals<unknown>(parseArgs([], { collect: ["prev"] }), { _: [] });
});

Deno.test("Defaults fill in absent options", () => {
  const options = {
    string: ["log"],
    boolean: ["json"],
    default: { log: "a.db", json: true, port: 80 },
  } as const;
  assertEquals(parseArgs([], options), {
    log: "a.db",
    json: true,
    port: 80,
    _: [],
  });
  assertEquals(parseArgs(["--log=b.db", "--json=false"], options), {
    log: "b.db",
    json: false,
    port: 80,
    _: [],
  });
});

Deno.test("An option and its aliases have one value and one kind", () => {
  const args = parseArgs(["-l", "1", "-h"], {
    string: ["log"],
    boolean: ["help"],
    alias: { log: "l", help: ["h", "?"] },
  });
  assertEquals(args, {
    log: "1",
    l: "1",
    help: true,
    h: true,
    "?": true,
    _: [],
  });
});

Deno.test("Only a negatable option is negated by --no-", () => {
  const options = { boolean: ["color"], negatable: ["color"] } as const;
  assertEquals(parseArgs(["--no-color"], options), { color: false, _: [] });
  assertEquals(parseArgs(["--no-x"], options), {
    color: false,
    "no-x": true,
    _: [],
  });
});

Deno.test("Nothing after -- is an option", () => {
  assertEquals(parseArgs(["a", "--x", "--", "--y", "1"]), {
    x: true,
    _: ["a", "--y", "1"],
  });
  assertEquals(parseArgs(["a", "--", "--y", "1"], { "--": true }), {
    _: ["a"],
    "--": ["--y", "1"],
  });
});

Deno.test("stopEarly leaves everything after the first plain argument alone", () => {
  const args = parseArgs(["--json", "get", "--log", "1"], {
    boolean: ["json"],
    stopEarly: true,
  });
  assertEquals(args, { json: true, _: ["get", "--log", "1"] });
});

Deno.test("unknown is called with undeclared options and plain arguments, and can drop them", () => {
  const heard: unknown[][] = [];
  const args = parseArgs(
    ["--log=a", "--x", "1", "--y=2", "-z", "word", "-h", "--", "--rest"],
    {
      string: ["log"],
      boolean: ["json"],
      alias: { json: "h" },
      unknown: (...it) => {
        heard.push(it);
        return false;
      },
    },
  );
  assertEquals(heard, [
    ["--x", "x", "1"],
    ["--y=2", "y", "2"],
    ["-z", "z", "word"],
  ]);
  assertEquals(args, { log: "a", json: true, h: true, _: ["--rest"] });
});

Deno.test("unknown keeps arguments that it does not drop", () => {
  const heard: unknown[][] = [];
  const args = parseArgs(["word", "--x=1"], {
    unknown: (...it) => heard.push(it),
  });
  assertEquals(heard, [["word"], ["--x=1", "x", "1"]]);
  assertEquals(args, { x: 1, _: ["word"] });
});

Deno.test("An option's type follows from its declaration", () => {
  const args = parseArgs(["--log", "a"], {
    string: ["log", "prev"],
    boolean: ["json"],
    collect: ["prev"],
    alias: { log: "l" },
  });
  const log: string | undefined = args.log;
  const short: string | undefined = args.l;
  const json: boolean = args.json;
  const prev: string[] = args.prev;
  const rest: (string | number)[] = args._;
  assertEquals([log, short, json, prev, rest], ["a", "a", false, [], []]);
});
