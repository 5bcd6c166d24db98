import "fake-indexeddb/auto";
import { beforeEach, expect, test, vi } from "vitest";
import { type ClientOptions, indexedDBStore, memoryStore } from "../src/index.js";
import { BOTH, DM, Harness, messages, shown } from "./harness.js";
import { type FakeServer, token, until } from "./server.js";

const harness = new Harness();
const client = (more?: Partial<ClientOptions>) => harness.client(more);
let server: FakeServer;

beforeEach(() => {
  server = harness.server;
});

test("a message is shown at once, and stored once", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  const { stored, client_message_id } = alice.send({ to: "bob" }, "hi");
  expect(shown(alice)).toEqual([["hi", "sending"]]);
  const ack = await stored;
  expect(ack).toMatchObject({ conversation_id: DM, seq: 1, client_message_id });
  expect(shown(alice)).toEqual([["hi", "sent"]]);
  expect(messages(alice)[0]?.key).toBe(client_message_id);
});

test("by ticket, as a browser connects", async () => {
  const alice = client({ byTicket: true });
  await alice.connected();
  expect(server.requests[0]).toBe("POST /v1/tickets");
  expect(server.sockets.map((each) => each.user)).toEqual(["alice"]);
});

test("what was not acknowledged is sent again after a reload, the very same", async () => {
  const store = indexedDBStore("reload");
  await harness.leaveOneUnsent(store);
  store.close();
  const second = client({ store: indexedDBStore("reload") });
  await second.start();
  second.open(DM);
  await until(() => shown(second).length === 2);
  await second.connected();
  await until(() => shown(second).every(([, state]) => state === "sent"));
  expect(shown(second).map(([content]) => content)).toEqual(["one", "two"]);
  const sent = server.frames.filter((frame) => frame.type === "message").map(({ id: _, ...frame }) => frame);
  expect(sent[2]).toEqual(sent[1]);
});

test("a reload shows inbox and messages before the network", async () => {
  const store = indexedDBStore("offline");
  const first = client({ store });
  await first.connected();
  server.say(DM, "bob", "hello", BOTH);
  await until(() => first.inbox().items[0]?.last_message?.content === "hello");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await first.close();
  store.close();
  const second = client({ store: indexedDBStore("offline"), url: "ws://127.0.0.1:9/", httpUrl: "http://127.0.0.1:9" });
  await second.start();
  second.open(DM);
  expect(second.inbox().items.map((row) => row.id)).toEqual([DM]);
  await until(() => shown(second).length === 1);
  expect(shown(second)[0]?.[0]).toBe("hello");
  expect(second.connection().state).not.toBe("online");
});

test("what was written meanwhile comes after a reconnect, in order and once", async () => {
  const alice = client({ settings: { backoffFirst: 10 } });
  const heard: number[] = [];
  alice.on("entry", (entry) => heard.push(entry.seq));
  await alice.connected();
  server.say(DM, "bob", "one", BOTH);
  await until(() => heard.length === 1);
  server.drop();
  server.say(DM, "bob", "two", BOTH);
  server.say(DM, "bob", "three", BOTH);
  await until(() => heard.length === 3);
  expect(heard).toEqual([1, 2, 3]);
});

test("edits, deletions and reactions show at once and stay", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await alice.send({ to: "bob" }, "hi").stored;
  const edited = alice.edit(DM, 1, "hi, Bob");
  expect(messages(alice)[0]).toMatchObject({ pendingEdit: true, message: { content: "hi, Bob" } });
  await edited;
  expect(messages(alice)[0]?.pendingEdit).toBeUndefined();
  await alice.react(DM, 1, "👍");
  expect(messages(alice)[0]?.message.reactions).toEqual({ "👍": ["alice"] });
  await alice.react(DM, 1, "👍", { remove: true });
  expect(messages(alice)[0]?.message.reactions).toBeUndefined();
  await alice.delete(DM, 1);
  expect(messages(alice)[0]?.message).toMatchObject({ content: null, deleted_at: expect.any(Number) });
});

test("data and attachments go with a message, and an edit changes or leaves its data", async () => {
  const [alice, bob] = [client(), client({ token: token("bob") })];
  await Promise.all([alice.connected(), bob.connected()]);
  for (const one of [alice, bob]) one.open(DM);
  const hung = { data: { order: 4711 }, attachments: [{ type: "link", url: "https://shop.example/4711" }] };
  const sent = alice.send({ to: "bob" }, null, hung);
  expect(messages(alice)[0]).toMatchObject({ state: "sending", message: { content: "", ...hung } });
  await sent.stored;
  await until(() => messages(bob).length === 1);
  for (const one of [alice, bob]) expect(messages(one)[0]?.message).toMatchObject(hung);
  await alice.edit(DM, 1, "look");
  await until(() => messages(bob)[0]?.message.content === "look");
  for (const one of [alice, bob]) expect(messages(one)[0]?.message).toMatchObject({ content: "look", ...hung });
  await alice.edit(DM, 1, "look", { order: 4712 });
  await until(() => messages(bob)[0]?.message.data?.order === 4712);
  expect(messages(alice)[0]?.message.data).toEqual({ order: 4712 });
  await alice.edit(DM, 1, "look", null);
  await until(() => messages(bob)[0]?.message.data === undefined);
  expect(messages(alice)[0]?.message).not.toHaveProperty("data");
  expect(() => alice.send({ to: "bob" }, null, { attachments: [] })).toThrow("words");
});

test("an edit that is refused is taken back", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await alice.send({ to: "bob" }, "hi").stored;
  const refusal = { success: false, code: "forbidden", error: "Too late", retryable: false };
  server.onFrame = (frame) => (frame.type === "edit" ? refusal : undefined);
  await expect(alice.edit(DM, 1, "no")).rejects.toMatchObject({ code: "forbidden" });
  expect(shown(alice)).toEqual([["hi", "sent"]]);
});

test("a refused message stays, can be sent again or let go", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  const refusal = { success: false, code: "blocked", error: "No", retryable: false };
  server.onFrame = (frame) => (frame.type === "message" ? refusal : undefined);
  const first = alice.send({ to: "bob" }, "one");
  await expect(first.stored).rejects.toMatchObject({ code: "blocked" });
  const second = alice.send({ to: "bob" }, "two");
  await expect(second.stored).rejects.toMatchObject({ code: "blocked" });
  expect(shown(alice)).toEqual([
    ["one", "failed"],
    ["two", "failed"],
  ]);
  alice.discard(first.client_message_id);
  server.onFrame = () => undefined;
  await alice.resend(second.client_message_id).stored;
  expect(shown(alice)).toEqual([["two", "sent"]]);
});

test("receipts make delivered and read", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await alice.send({ to: "bob" }, "hi").stored;
  await alice.jumpToLatest(DM);
  await until(() => server.requests.includes(`GET /v1/conversations/${DM}/members`));
  server.post("alice", { type: "delivered", conversation_id: DM, user_id: "bob", seq: 1, timestamp: 1 });
  alice.open(null);
  await until(() => shown(alice)[0]?.[1] === "delivered");
  server.post("alice", { type: "read", conversation_id: DM, user_id: "bob", seq: 1, timestamp: 2 });
  await until(() => shown(alice)[0]?.[1] === "read");
  expect(alice.timeline(DM).receipts).toMatchObject({ bob: { read: 1, delivered: 1 } });
});

test("typing lapses with the message, presence goes by its timestamp", async () => {
  const alice = client();
  await alice.connected();
  server.post("alice", { type: "typing", conversation_id: DM, user_id: "bob", active: true });
  await until(() => alice.typing(DM).length === 1);
  server.say(DM, "bob", "there", BOTH);
  await until(() => alice.typing(DM).length === 0);
  server.post("alice", { type: "presence", user_id: "bob", status: "online", last_seen: null, timestamp: 20 });
  server.post("alice", { type: "presence", user_id: "bob", status: "offline", last_seen: 5, timestamp: 10 });
  server.post("alice", { type: "typing", conversation_id: DM, user_id: "bob", active: true });
  await until(() => alice.typing(DM).length === 1);
  expect(alice.presence("bob")).toEqual({ status: "online", last_seen: null });
});

test("a listener that throws is reported, and the others hear what comes", async () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const [alice, bob] = [client(), client({ token: token("bob") })];
  await Promise.all([alice.connected(), bob.connected()]);
  const heard: unknown[] = [];
  alice.on("entry", () => {
    throw new Error("mine");
  });
  alice.on("entry", (entry) => heard.push(entry));
  for (const text of ["one", "two"]) await bob.send({ to: "alice" }, text).stored;
  await until(() => heard.length === 2);
  expect(reported).toHaveBeenCalledTimes(2);
  vi.unstubAllGlobals();
});

test("an address that is none is a connection that failed", async () => {
  const alice = client({ url: "nonsense" });
  void alice.start();
  await until(() => alice.connection().reason !== undefined);
  expect(alice.connection()).toMatchObject({ state: "offline", reason: expect.stringMatching(/invalid/i) });
});

test("what is heard of a user while an answer is on its way is newer than the answer", async () => {
  const alice = client();
  await alice.connected();
  server.onFrame = (frame, user) => {
    if (frame.type === "presence") {
      server.post(user, { type: "presence", user_id: "bob", status: "online", last_seen: null, timestamp: 20 });
    }
    return undefined;
  };
  alice.watch(["bob", "carol"]);
  await until(() => alice.presence("carol")?.status === "offline");
  expect(alice.presence("bob")).toEqual({ status: "online", last_seen: null });
});

test("unread counts others' messages until they are read", async () => {
  const alice = client();
  await alice.connected();
  server.say(DM, "bob", "one", BOTH);
  await until(() => alice.conversation(DM));
  server.say(DM, "bob", "two", BOTH);
  server.say(DM, "bob", "three", BOTH);
  await until(() => alice.conversation(DM)?.head === 3);
  expect(alice.inbox().unread).toBe(2);
  void alice.markRead(DM, 2);
  await alice.markRead(DM, 3);
  expect(alice.inbox().unread).toBe(0);
  expect(server.frames.filter((frame) => frame.type === "read").map((frame) => frame.seq)).toEqual([3]);
});

test("older messages come from the server once, and then from the store", async () => {
  for (let number = 1; number <= 120; number++) server.say(DM, "bob", String(number), BOTH);
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await until(() => messages(alice).length === 50);
  expect(alice.timeline(DM).hasOlder).toBe(true);
  await alice.loadOlder(DM);
  await alice.loadOlder(DM);
  expect(messages(alice).map((item) => item.seq)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
  expect(alice.timeline(DM).hasOlder).toBe(false);
});

test("what was shown before the first sync is in the store as well", async () => {
  for (let number = 1; number <= 120; number++) server.say(DM, "bob", String(number), BOTH);
  server.onFrame = (frame) => (frame.type === "sync" ? null : undefined);
  const store = indexedDBStore("early");
  const first = client({ store });
  await first.start();
  first.open(DM);
  await until(() => messages(first).length === 50);
  server.onFrame = () => undefined;
  server.drop();
  await first.connected();
  await first.loadOlder(DM);
  await first.close();
  const second = client({ store, token: () => new Promise(() => {}) }); // all it has is the store
  await second.start();
  second.open(DM);
  await until(() => messages(second).length === 50);
  expect(messages(second).at(-1)?.seq).toBe(120);
});

test("jumping back and coming on again", async () => {
  for (let number = 1; number <= 300; number++) server.say(DM, "bob", String(number), BOTH);
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await until(() => messages(alice).length === 50);
  await alice.jumpTo(DM, 100);
  expect(messages(alice).map((item) => item.seq)).toEqual(Array.from({ length: 50 }, (_, index) => index + 76));
  expect(alice.timeline(DM).hasNewer).toBe(true);
  server.say(DM, "bob", "301", BOTH);
  while (alice.timeline(DM).hasNewer) await alice.loadNewer(DM);
  expect(messages(alice).map((item) => item.seq)).toEqual(Array.from({ length: 226 }, (_, index) => index + 76));
  await alice.jumpTo(DM, 5);
  await alice.jumpToLatest(DM);
  expect(messages(alice).at(-1)?.seq).toBe(301);
  expect(alice.timeline(DM).hasNewer).toBe(false);
});

test("a file is uploaded, checked, and sent", async () => {
  const form = { url: `${server.urls.httpUrl}/bucket`, fields: { key: "uploads/f1" } };
  const file = { file_id: "f1", kind: "file", name: "a.txt", content_type: "text/plain", size: 5 };
  server.routes.set("POST /v1/files", () => ({ status: 201, body: { ...file, status: "pending", upload: form } }));
  let form_text = "";
  server.routes.set("POST /bucket", ({ body }) => {
    form_text = String(body);
    return { status: 204 };
  });
  server.routes.set("GET /v1/files/f1", () => ({ status: 200, body: { ...file, status: "ready", expires_in: 300 } }));
  const alice = client();
  await alice.connected();
  alice.open(DM);
  const sending = alice.sendFile({ to: "bob" }, new TextEncoder().encode("hello"), { name: "a.txt", caption: "look" });
  expect(messages(alice)[0]).toMatchObject({ state: "sending", upload: { name: "a.txt", total: 5 } });
  await sending.stored;
  expect(messages(alice)[0]).toMatchObject({
    state: "sent",
    message: { file_id: "f1", type: "file", content: "look" },
  });
  expect(form_text).toContain("hello");
  await alice.fileLinks("f1");
  await alice.fileLinks("f1");
  expect(server.requests.filter((request) => request === "GET /v1/files/f1")).toHaveLength(2);
});

test("the end says why, and start begins anew", async () => {
  const alice = client();
  await alice.connected();
  server.post("alice", { type: "disconnect", code: "connection_limit", reconnect: false });
  await until(() => alice.connection().state === "ended");
  expect(alice.connection().code).toBe("connection_limit");
  await alice.start();
  await until(() => alice.connection().state === "online");
});

test("a token that the server refuses ends the client where there is no other", async () => {
  const refusal = { error: "No", code: "token_expired", retryable: false };
  server.routes.set("POST /v1/tickets", () => ({ status: 401, body: refusal }));
  const alice = client({ byTicket: true });
  await expect(alice.connected()).rejects.toMatchObject({ code: "token_expired" });
  expect(alice.connection()).toMatchObject({ state: "ended", code: "token_expired" });
});

test("nothing is told that could not be kept", async () => {
  const store = memoryStore();
  const alice = client({ store });
  await alice.connected();
  store.write = () => Promise.reject(new Error("full"));
  alice.open(DM);
  const { stored } = alice.send({ to: "bob" }, "hi");
  await expect(stored).rejects.toMatchObject({ code: "not_saved" });
  expect(server.frames.some((frame) => frame.type === "message")).toBe(false);
  expect(alice.connection()).toMatchObject({ state: "ended", code: "not_saved" });
});

test("snapshots stay the same object until something in them changes", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  server.say(DM, "bob", "one", BOTH);
  await until(() => messages(alice).length === 1 && alice.timeline(DM).items.length === 1);
  await until(() => alice.inbox().items.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = [alice.timeline(DM), alice.inbox(), alice.connection(), alice.typing(DM)];
  await alice.refreshInbox();
  server.post("alice", { type: "read", conversation_id: "dm:alice:zoe", user_id: "zoe", seq: 1, timestamp: 1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const after = [alice.timeline(DM), alice.inbox(), alice.connection(), alice.typing(DM)];
  expect(after.map((each, index) => each === before[index])).toEqual([true, true, true, true]);
});

test("notifications come once, and go when they are acknowledged", async () => {
  const told = { id: "n1", kind: "system", title: "Hello", body: "", data: {}, created_at: 1 };
  server.notifications = [{ ...told, conversation_id: null, seq: null }];
  server.routes.set("DELETE /v1/notifications/n1", () => ({ status: 204 }));
  const alice = client();
  await alice.connected();
  await until(() => alice.notifications().length === 1);
  server.post("alice", { type: "notification", notification: told });
  await alice.acknowledge("n1");
  expect(alice.notifications()).toEqual([]);
});

test("100,000 messages in the store, and what is shown stays a window", async () => {
  const store = memoryStore();
  const items = Array.from({ length: 100_000 }, (_, index) => {
    const seq = index + 1;
    const message = {
      id: `${DM}/${seq}`,
      conversation_id: DM,
      seq,
      sender_id: "bob",
      content: `${seq}`,
      created_at: seq,
    };
    return { conversation_id: DM, seq, message: { ...message, type: "text" as const } };
  });
  const meta = { version: 1, user_id: "alice", synced: true };
  const conversation = { id: DM, held: 100_000, over: false, ended: 0, order: 1 };
  const save = { meta, conversations: [conversation], put: [], drop: [] };
  await store.write({ saves: [save], items, changes: [], rows: [], dropRows: [], from: [[DM, 1]] });
  const alice = client({ store, token: () => new Promise(() => {}) }); // all it has is the store
  await alice.start();
  alice.open(DM);
  await until(() => messages(alice).length === 50);
  for (let page = 0; page < 60; page++) await alice.loadOlder(DM);
  expect(messages(alice)).toHaveLength(1_000);
  expect(messages(alice)[0]?.seq).toBe(100_000 - 61 * 50 + 1);
  expect(alice.timeline(DM)).toMatchObject({ hasOlder: true, hasNewer: true });
  for (let page = 0; page < 5; page++) await alice.loadNewer(DM);
  expect(messages(alice)).toHaveLength(1_000);
  await alice.jumpToLatest(DM);
  expect(messages(alice).map((item) => item.seq)).toEqual(Array.from({ length: 50 }, (_, index) => 99_951 + index));
  expect(server.requests).toEqual([]);
});

test("a fresh token goes out on the living connection, before the one before ends", async () => {
  let asked = 0;
  const alice = client({ token: () => token(`alice`, ++asked === 1 ? 2 : 3_600) });
  await alice.connected();
  const auth = await until(() => server.frames.find((frame) => frame.type === "auth"));
  expect(auth.token).not.toBe("");
  expect(asked).toBe(2);
  await until(() => alice.connection().state === "online");
  expect(server.sockets).toHaveLength(1);
});

test("a request whose token was refused is made again with a fresh one", async () => {
  const tokens = [token("nobody"), token("alice")];
  server.routes.set("GET /v1/me", ({ token: given }) => {
    const refusal = { error: "It has ended", code: "token_expired", retryable: false };
    return given === token("alice") ? { status: 200, body: { user_id: "alice" } } : { status: 401, body: refusal };
  });
  const alice = client({ token: () => tokens.shift() ?? token("alice") });
  expect(await alice.api.get("/v1/me")).toEqual({ user_id: "alice" });
});

test("another user's store is refused", async () => {
  const store = memoryStore();
  const alice = client({ store });
  await alice.connected();
  await alice.close();
  const bob = client({ store, token: token("bob") });
  await expect(bob.connected()).rejects.toMatchObject({ code: "wrong_user" });
  await bob.close();
  await bob.forget();
  await bob.connected();
  expect(bob.userId).toBe("bob");
});

test("an own message stays in sight while what lies before it is fetched", async () => {
  const alice = client();
  await alice.connected();
  alice.open(DM);
  await alice.send({ to: "bob" }, "one").stored;
  const log = server.logs.get(DM);
  const message = {
    id: `${DM}/2`,
    conversation_id: DM,
    seq: 2,
    sender_id: "bob",
    content: "two",
    type: "text",
    created_at: 1,
  };
  log?.entries.push({ type: "new_message", conversation_id: DM, seq: 2, message }); // and nobody is told
  const { stored } = alice.send({ to: "bob" }, "three");
  const seen = new Set<string>();
  alice.subscribe(`timeline:${DM}`, () =>
    seen.add(
      shown(alice)
        .map(([content]) => content)
        .join(),
    ),
  );
  expect((await stored).seq).toBe(3);
  expect(shown(alice)).toEqual([
    ["one", "sent"],
    ["three", "sent"],
  ]);
  await until(() => shown(alice).length === 3);
  expect([...seen].filter((each) => !each.includes("three"))).toEqual([]);
  expect(shown(alice).map(([content]) => content)).toEqual(["one", "two", "three"]);
});

test("what is read at the end is sent by the next process", async () => {
  const store = memoryStore();
  const first = client({ store });
  await first.connected();
  server.say(DM, "bob", "one", BOTH);
  await until(() => first.conversation(DM));
  void first.markRead(DM, 1);
  server.onFrame = (frame) => (frame.type === "read" ? null : undefined);
  await first.close();
  server.onFrame = () => undefined;
  server.frames.length = 0;
  const second = client({ store });
  await second.connected();
  await until(() => server.frames.some((frame) => frame.type === "read" && frame.seq === 1));
});

test("many conversations are not asked for one by one", async () => {
  for (let number = 0; number < 60; number++)
    server.say(`dm:alice:u${number}`, `u${number}`, "hi", ["alice", `u${number}`]);
  const alice = client();
  await alice.connected();
  await until(() => alice.inbox().items.length === 60);
  expect(server.requests.filter((request) => request.startsWith("GET /v1/conversations/"))).toEqual([]);
});

test("nothing is taken before the store was read, and a client that is closed meanwhile stays closed", async () => {
  const alice = client();
  expect(() => alice.send({ to: "bob" }, "too early")).toThrow("Start the client first");
  const starting = alice.start();
  await alice.close();
  await starting;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(server.sockets).toEqual([]);
  expect(alice.connection()).toMatchObject({ state: "ended", code: "closed" });
  await alice.start();
  await until(() => alice.connection().state === "online");
});
