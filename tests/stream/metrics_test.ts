import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatStreamMetrics, type StreamStatus } from "../../stream.ts";

const STATUS: StreamStatus = {
  stream: "team",
  server: "127.0.0.1:4222",
  phase: "following",
  position: 12,
  behind: 1,
  received: 5,
  known: 6,
  refused: 3,
  refusals: { "bad-shape": 2, "too-large": 1 },
  pending: 1,
  published: 6,
  duplicates: 0,
  outstanding: 2,
  unpublished: 4,
  unpublishable: [{ opId: "op_1", bytes: 9 }],
  heldBack: 1,
  disconnects: 1,
  losses: 0,
  warnings: [],
};

Deno.test("each line of the metrics is a comment or a value with the stream as label", () => {
  const text = formatStreamMetrics(STATUS);
  for (const line of text.trimEnd().split("\n")) {
    assertMatch(line, /^# (HELP|TYPE) mnema_stream_\w+ .+$|^mnema_stream_\w+\{stream="team"(,\w+="[\w-]+")?\} \d+$/);
  }
  assertEquals(text.endsWith("\n"), true);
});

Deno.test("the metrics have the numbers of the status", () => {
  const text = formatStreamMetrics(STATUS);
  for (
    const line of [
      'mnema_stream_connected{stream="team"} 1',
      'mnema_stream_position{stream="team"} 12',
      'mnema_stream_unpublishable{stream="team"} 1',
      'mnema_stream_phase{stream="team",phase="following"} 1',
      'mnema_stream_phase{stream="team",phase="waiting"} 0',
      'mnema_stream_refused_total{stream="team",code="bad-shape"} 2',
    ]
  ) assertStringIncludes(text, `${line}\n`);
  assertStringIncludes(formatStreamMetrics({ ...STATUS, server: undefined }), 'connected{stream="team"} 0\n');
});
