/** Marks of what was read, and whom to watch: what the server refuses is taken back. */

import { expect, test } from "vitest";
import { BOTH, DM, Harness } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();

test("a mark beyond the end is taken back where it is refused", async () => {
  const { server } = harness;
  for (const words of ["one", "two", "three"]) server.say(DM, "bob", words, BOTH);
  server.unread = 3;
  const alice = harness.client();
  await alice.connected();
  await alice.refreshInbox();
  await alice.jumpToLatest(DM);
  expect(alice.conversation(DM)).toMatchObject({ read_seq: 0, unread: 3 });
  server.onFrame = (frame) => {
    const refusal = { success: false, code: "bad_request", error: "There is no such entry", retryable: false };
    return frame.type === "read" && Number(frame.seq) > 3 ? refusal : undefined;
  };
  const marked = alice.markRead(DM, 99);
  expect(alice.conversation(DM)).toMatchObject({ read_seq: 99, unread: 0 });
  await expect(marked).rejects.toMatchObject({ code: "bad_request" });
  expect(alice.conversation(DM)).toMatchObject({ read_seq: 0, delivered_seq: 0, unread: 3 });
  expect(alice.timeline(DM).readSeq).toBe(0);
  await alice.markRead(DM, 3);
  expect(alice.conversation(DM)).toMatchObject({ read_seq: 3, unread: 0 });
  expect(server.frames.flatMap((frame) => (frame.type === "read" ? [frame.seq] : []))).toEqual([99, 3]);
});

test("what came while a mark was refused counts as unread, too", async () => {
  const { server } = harness;
  server.say(DM, "bob", "one", BOTH);
  server.unread = 1;
  const alice = harness.client();
  await alice.connected();
  await alice.refreshInbox();
  const asked = server.requests.length;
  server.routes.set(`GET /v1/conversations/${DM}`, () => ({ status: 503 }));
  server.onFrame = (frame) => {
    if (frame.type !== "read") return undefined;
    server.say(DM, "bob", "two", BOTH);
    return { success: false, code: "bad_request", error: "No", retryable: false };
  };
  await expect(alice.markRead(DM, 99)).rejects.toMatchObject({ code: "bad_request" });
  await until(() => alice.conversation(DM)?.unread === 2);
  await until(() => server.requests.length > asked);
});

test("more users than can be watched are refused at once, and what the server refuses is asked for again", async () => {
  const { server } = harness;
  const alice = harness.client();
  await alice.connected();
  const many = Array.from({ length: 101 }, (_, number) => `user${number}`);
  expect(() => alice.watch(many)).toThrow("At most 100 users can be watched");
  expect(server.frames.some((frame) => frame.type === "presence")).toBe(false);
  await alice.watch(many.slice(1));
  const refusal = { success: false, code: "bad_request", error: "There is no such user", retryable: false };
  server.onFrame = (frame) => (frame.type === "presence" ? refusal : undefined);
  await expect(alice.watch(["no such user"])).rejects.toMatchObject({ code: "bad_request" });
  server.onFrame = () => undefined;
  await alice.watch(["no such user"]);
  expect(server.frames.filter((frame) => frame.type === "presence")).toHaveLength(3);
});
