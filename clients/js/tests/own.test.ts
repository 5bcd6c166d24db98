/** What others decide about the user's own: what another device changes, and what becomes of a message that waits for review. */

import { expect, test } from "vitest";
import { memoryStore } from "../src/index.js";
import { DM, Harness, messages } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();
const changed = (seq: number, what: string, value: object) => ({
  type: "user_changed",
  seq,
  timestamp: 1,
  what,
  value,
});

test("settings and hides of another device are in the inbox, and everything is told in order", async () => {
  const { server } = harness;
  server.say(DM, "bob", "hello", ["alice", "bob"]);
  server.onFrame = (frame) => {
    if (frame.type !== "sync") return undefined;
    const conversations = [{ id: DM, head: 1, entries: [], has_more: false, read_seq: 0, unread: 0, joined_seq: 0 }];
    const user = { head: 7, entries: [], has_more: false };
    return { success: true, data: { type: "sync", conversations, has_more: false, user } };
  };
  const alice = harness.client();
  const told: unknown[] = [];
  alice.on("user_reset", () => told.push("reset"));
  alice.on("user_changed", ({ seq, what }) => told.push([seq, what]));
  await alice.connected();
  await until(() => alice.conversation(DM));
  const settings = { muted_until: null, notify: "none", pinned: true, archived: false };
  server.post("alice", changed(8, "settings", { conversation_id: DM, settings }));
  await until(() => alice.conversation(DM)?.pinned);
  expect(alice.conversation(DM)?.notify).toBe("none");
  server.post("alice", changed(9, "settings", { conversation_id: "dm:alice:eve", settings }));
  server.post("alice", changed(10, "hidden", { conversation_id: DM, hidden: true, head: 0 }));
  server.post("alice", changed(11, "malformed", "no object" as never));
  server.post("alice", changed(12, "hidden", { conversation_id: DM, hidden: true, head: 1 }));
  await until(() => alice.conversation(DM) === undefined);
  server.post("alice", changed(13, "hidden", { conversation_id: DM, hidden: false }));
  await until(() => alice.conversation(DM));
  expect(told).toEqual(["reset", [8, "settings"], [9, "settings"], [10, "hidden"], [12, "hidden"], [13, "hidden"]]);
});

test("a message that waits for review says so, is kept over a reload, and is rejected by a notification", async () => {
  const { server } = harness;
  const store = memoryStore();
  server.onFrame = (frame) => {
    if (frame.type !== "message") return undefined;
    const { client_message_id } = frame;
    const held = { status: "held", held_id: "h1", conversation_id: DM, client_message_id, timestamp: 1 };
    return { success: true, data: { type: "message", ...held } };
  };
  const alice = harness.client({ store });
  await alice.connected();
  alice.open(DM);
  await expect(alice.send({ to: "bob" }, "hm", { client_message_id: "m1" }).stored).rejects.toMatchObject({
    code: "held",
  });
  await alice.close();
  const again = harness.client({ store });
  await again.connected();
  again.open(DM);
  await until(() => messages(again).length === 1);
  expect(messages(again)[0]).toMatchObject({ state: "failed", error: { code: "held" } });
  const data = { type: "message_rejected", client_message_id: "m1", reason: "review" };
  const told = { id: "held-h1", kind: "system", title: "Rejected", body: "", data, created_at: 1 };
  server.post("alice", { type: "notification", notification: told });
  await until(() => messages(again)[0]?.error?.code === "rejected");
  again.discard("m1");
  expect(messages(again)).toEqual([]);
});
