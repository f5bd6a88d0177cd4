import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatMermaid } from "../../src/render/format.ts";
import { anyExplanation, invalidated } from "./explanations.ts";
import "../runs.ts";

Deno.test("Mermaid has an arrow for each input, a dotted one for a refute, and a class for each node", () => {
  assertEquals(formatMermaid(invalidated()).split("\n").filter((line) => !line.includes("classDef")), [
    "flowchart TD",
    '  n0["drink #61; #34;tea#34;<br/>82 #37; sure#44; invalidated<br/>by habits 1#46;2<br/>op#95;00000001"]',
    '  n1["city #61; #34;Oslo#34;<br/>82 #37; sure#44; invalidated<br/>by habits 1#46;2<br/>op#95;00000002"]',
    '  n2["home #61; #34;Oslo#34;<br/>82 #37; sure#44; refuted<br/>by habits 1#46;2<br/>op#95;00000003"]',
    '  n3["message from mail#44; #60;1#64;example#46;org#62;<br/>op#95;00000004"]',
    '  n4["message from mail<br/>op#95;00000005"]',
    '  n5["home #61; #34;Oslo#34; is not so<br/>op#95;000000ff by mnk#95;8a8a8a8a"]',
    "  n1 --> n0",
    "  n4 --> n0",
    "  n2 --> n1",
    "  n3 --> n2",
    "  n5 -.-> n2",
    "  class n0,n1 invalidated",
    "  class n2 refuted",
    "  class n3,n4 evidence",
    "  class n5 verdict",
    "",
  ]);
});

Deno.test("data is escaped in Mermaid labels", () => {
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    for (const line of formatMermaid(explanation).trimEnd().split("\n")) {
      const label = line.match(/^ {2}n\d+\["(.*)"\]$/)?.[1];
      if (label !== undefined) assertMatch(label.replaceAll("<br/>", ""), /^(#\d+;|[\p{L}\p{M}\p{N} ])*$/u);
      else assertMatch(line, /^(flowchart TD| {2}n\d+ (-->|-\.->) n\d+| {2}class(Def)? [\w,]+ [\w#:, -]+)$/);
    }
  }));
});
