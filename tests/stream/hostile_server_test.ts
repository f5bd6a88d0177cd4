import { assertEquals, assertRejects } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { StreamError } from "../../stream.ts";
import { join } from "./nodes.ts";

const INFO = { server_id: "x", version: "2.9.10", proto: 1, max_payload: 1024, headers: true, jetstream: true };
const GREETING = `INFO ${JSON.stringify(INFO)}\r\n`;

/** What a server sends before it closes the connection. */
const ANSWERS: [what: string, text: string][] = [
  ["nothing", ""],
  ["no protocol of NATS", "HTTP/1.1 200 OK\r\n\r\n"],
  ["no JSON", "INFO {\r\n"],
  ["a greeting alone", GREETING],
  ["a refusal", `${GREETING}-ERR 'Authorization Violation'\r\n`],
  ["an unknown command", `${GREETING}PONG\r\nBOO\r\n`],
  ["a message that nobody asked for", `${GREETING}PONG\r\nMSG a 99 5\r\nhello\r\n`],
  ["a message of a negative length", `${GREETING}PONG\r\nMSG a 1 -5\r\nhello\r\n`],
];

Deno.test("whatever a server answers before it closes, the node gets an error and goes on", async () => {
  using log = OpLog.open();
  for (const [what, text] of ANSWERS) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const answering = (async () => {
      for await (const connection of listener) {
        try {
          await connection.write(new TextEncoder().encode(text));
          await connection.read(new Uint8Array(1024));
        } catch {
          // The node has closed the connection.
        }
        connection.close(); // with bytes that were not read, which resets it
      }
    })();
    try {
      const url = `nats://127.0.0.1:${listener.addr.port}`;
      const { code } = await assertRejects(() => join(log, { url }, { timeoutMs: 500 }), StreamError, undefined, what);
      assertEquals([what, code], [what, what === "a refusal" ? "not-allowed" : "unreachable"]);
    } finally {
      listener.close();
      await answering;
    }
  }
});
