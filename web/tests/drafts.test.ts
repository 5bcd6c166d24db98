// @vitest-environment happy-dom
import { type Message, memoryStore, ParleyClient, type Store } from "@parley/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { FakeServer, token, until } from "../../clients/js/tests/server";
import {
  after,
  draftOf,
  EMPTY,
  edit,
  forget,
  keepDraft,
  referring,
  send,
  sendWaiting,
  telling,
} from "../src/lib/drafts";

const DM = "dm:alice:bob";
const NO_UPLOADS = { arrived: async () => undefined, clear: async () => undefined };
const message = (seq: number, content: string) =>
  ({ conversation_id: DM, seq, content, sender_id: "alice" }) as Message;
const one = message(1, "what was said");

beforeEach(() => sessionStorage.clear());

test("what is begun is kept with what it refers to, over a reload, for this user and this chat", () => {
  const editing = { ...referring({ text: "half a thought" }, { kind: "edit", message: one }), text: "what was meant" };
  keepDraft("alice", DM, editing);
  expect(draftOf("alice", DM)).toEqual(editing);
  expect(draftOf("alice", DM).reference).toEqual({ kind: "edit", message: one });
  expect(after(draftOf("alice", DM))).toEqual({ text: "half a thought" });
  const reply = referring({ text: "yes" }, { kind: "reply", message: one });
  keepDraft("alice", "group:1234567890123456", reply);
  expect(draftOf("alice", "group:1234567890123456")).toEqual({
    text: "yes",
    reference: { kind: "reply", message: one },
  });
  expect(draftOf("bob", DM)).toBe(EMPTY);
  keepDraft("alice", DM, EMPTY);
  expect(draftOf("alice", DM)).toBe(EMPTY);
});

test("a reply without words yet is kept, too", () => {
  keepDraft("alice", DM, referring(EMPTY, { kind: "reply", message: one }));
  expect(draftOf("alice", DM).reference?.kind).toBe("reply");
});

test("an edit gives back what was there before it, a reply as well, and one edit after another the same", () => {
  const reply = referring({ text: "yes" }, { kind: "reply", message: one });
  const editing = referring(reply, { kind: "edit", message: message(2, "two") });
  expect(editing.text).toBe("two");
  const another = referring(editing, { kind: "edit", message: message(3, "three") });
  expect(another.text).toBe("three");
  expect(referring(another, null)).toEqual(reply);
  expect(after(another)).toEqual(reply);
  expect(referring(another, { kind: "reply", message: message(4, "four") }).text).toBe("yes");
  expect(referring(reply, null)).toEqual({ text: "yes" });
});

test("what is kept by something else is no draft", () => {
  sessionStorage.setItem(`parley.draft alice ${DM}`, "{not json");
  expect(draftOf("alice", DM)).toBe(EMPTY);
});

// --- between the key that sends and the database that keeps

let server: FakeServer;
const clients: ParleyClient[] = [];

beforeEach(async () => {
  server = await FakeServer.start();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await server.stop();
});

async function page(store: Store): Promise<ParleyClient> {
  const kept = telling(store, "alice", NO_UPLOADS);
  const client = new ParleyClient({ ...server.urls, token: token("alice"), WebSocket, store: kept });
  clients.push(client);
  await client.start();
  for (const work of sendWaiting(client, "alice")) await work;
  return client;
}
const said = () => server.logs.get(DM)?.entries.map((entry) => (entry.message as { content: string }).content) ?? [];
const isWaiting = () => sessionStorage.getItem("parley.sent alice") !== null;

test("a message whose page is gone before the store had it is sent by the next page, once", async () => {
  const store = memoryStore();
  const first = await page({ ...bound(store), write: () => new Promise(() => undefined) });
  void send(first, "alice", DM, "at the last moment", { reply_to: 3 });
  expect(isWaiting()).toBe(true);
  await first.close();
  const second = await page(store);
  await until(() => said().length > 0, "the message");
  await until(() => !isWaiting(), "its place in the outbox");
  await second.close();
  await (await page(store)).connected();
  expect(said()).toEqual(["at the last moment"]);
});

test("what the store has is not kept twice, and is not sent twice", async () => {
  const store = memoryStore();
  const first = await page(store);
  await (await send(first, "alice", DM, "hello")).stored;
  expect(isWaiting()).toBe(false);
  await first.close();
  await (await page(store)).connected();
  expect(said()).toEqual(["hello"]);
});

test("what could never be sent is told, and forgotten", async () => {
  const client = await page(memoryStore());
  await expect(send(client, "alice", DM, "W".repeat(200_000))).rejects.toThrow();
  expect(isWaiting()).toBe(false);
});

test("an edit whose page is gone is made by the next one", async () => {
  const store = memoryStore();
  const first = await page(store);
  await (await send(first, "alice", DM, "hallo")).stored;
  server.onFrame = (frame) => (frame.type === "edit" ? null : undefined);
  edit(first, "alice", message(1, "hallo"), "hello").catch(() => undefined);
  await first.close();
  expect(isWaiting()).toBe(true);
  server.onFrame = () => undefined;
  await page(store);
  await until(() => server.logs.get(DM)?.entries.some((entry) => entry.content === "hello"), "the edit");
  await until(() => !isWaiting(), "its end");
});

test("signing out leaves nothing of the user, and all of others", () => {
  keepDraft("alice", DM, { text: "a" });
  keepDraft("bob", DM, { text: "b" });
  forget("alice");
  expect(draftOf("alice", DM)).toBe(EMPTY);
  expect(draftOf("bob", DM).text).toBe("b");
});

function bound(store: Store): Store {
  return {
    load: () => store.load(),
    write: (batch) => store.write(batch),
    items: (id, range) => store.items(id, range),
    clear: () => store.clear(),
    close: () => store.close(),
  };
}
