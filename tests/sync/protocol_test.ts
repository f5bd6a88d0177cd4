import { assertEquals } from "@std/assert";
import { encodeMessage, type Message, REFUSAL_CODES, SESSION_CODES } from "../../src/sync/messages.ts";
import { DOCUMENTS, TEXTS } from "../documentation.ts";

const TEXT = TEXTS[DOCUMENTS.indexOf("docs/sync-protocol.md")];

/** The numbered codes in a list item of the document that begins with a word. */
function codesIn(start: string): string[] {
  const [, item] = TEXT.split(`- **${start}**`);
  return [...item.split("\n\n")[0].split("\n- ")[0].matchAll(/(\d)\s+`([a-z-]+)`/g)].map(([, number, code], i) => {
    assertEquals(Number(number), i);
    return code;
  });
}

Deno.test("the documented codes are those of the messages", () => {
  assertEquals(codesIn("Codes"), [...SESSION_CODES]);
  assertEquals(codesIn("Totals"), [...REFUSAL_CODES]);
});

Deno.test("the documented kinds of messages have the bytes of the messages", () => {
  const rows = [...TEXT.matchAll(/^\| (\d+) +\| `([a-z-]+)` /gm)].map(([, byte, kind]) => [Number(byte), kind]);
  assertEquals(rows.map(([byte]) => byte), rows.map((_, i) => i));
  const simple: Message[] = [
    { kind: "refuse", code: "busy" },
    { kind: "proof", signature: new Uint8Array(64) },
    { kind: "wants", ids: new Uint8Array(32) },
    { kind: "caught-up", operations: 1 },
    { kind: "end", operations: 1 },
    { kind: "alive" },
  ];
  for (const message of simple) assertEquals(rows[encodeMessage(message)[0]][1], message.kind);
});
