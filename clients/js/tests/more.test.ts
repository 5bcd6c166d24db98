/** What is asked for by HTTP beside the chat: users, channels, several files in one message. */

import { expect, test } from "vitest";
import {
  createChannel,
  Directory,
  findUsers,
  getUser,
  getUsers,
  joinChannel,
  reportMessage,
  reportUser,
  sendFiles,
} from "../src/more.js";
import { Harness } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();
const record = (user_id: string, name: string, version = 1) => {
  return { user_id, name, avatar: null, role: null, data: {}, deactivated: false, version };
};

/** A server that knows bob and carol, and counts how often it was asked. */
function people(): { asked: string[]; all: Map<string, ReturnType<typeof record>> } {
  const asked: string[] = [];
  const all = new Map([record("bob", "Bob Builder"), record("carol", "Carol")].map((each) => [each.user_id, each]));
  harness.server.routes.set("GET /v1/users", ({ query }) => {
    asked.push(query.toString());
    const ids = query.get("ids")?.split(",");
    const prefix = query.get("prefix")?.toLowerCase() ?? "";
    const users = ids
      ? ids.map((id) => all.get(id)).filter(Boolean)
      : [...all.values()].filter((each) => each.name.toLowerCase().startsWith(prefix));
    return { status: 200, body: { users, next_cursor: null } };
  });
  return { asked, all };
}

test("users are found by the beginning of a name, and read by their ids, a hundred at a time", async () => {
  const { asked } = people();
  const alice = harness.client();
  expect((await findUsers(alice, "bo")).users.map((user) => user.user_id)).toEqual(["bob"]);
  const many = Array.from({ length: 150 }, (_, number) => `u${number}`);
  expect((await getUsers(alice, ["bob", ...many])).map((user) => user.name)).toEqual(["Bob Builder"]);
  expect(asked).toHaveLength(3);
  expect(await getUser(alice, "nobody")).toBeNull();
});

test("a directory asks once for all that are looked at together, and keeps the same object until there is another version", async () => {
  const { asked, all } = people();
  const directory = new Directory(harness.client());
  let told = 0;
  const stop = directory.subscribe(() => told++);
  expect([directory.get("bob"), directory.get("carol"), directory.get("nobody")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  await until(() => directory.get("bob"));
  expect(directory.get("nobody")).toBeNull();
  expect(asked).toEqual(["ids=bob%2Ccarol%2Cnobody"]);
  const bob = directory.get("bob");
  directory.heard("bob", 1);
  expect(directory.get("bob")).toBe(bob);
  all.set("bob", record("bob", "Robert", 2));
  directory.heard("bob", 2);
  await until(() => directory.get("bob")?.name === "Robert");
  expect(asked).toHaveLength(2);
  expect(told).toBeGreaterThan(0);
  stop();
  directory.close();
});

test("a directory that could not ask asks again; what is refused for good is not known", async () => {
  let status = 503;
  let asked = 0;
  harness.server.routes.set("GET /v1/users", () => {
    asked++;
    if (status === 200) return { status, body: { users: [record("bob", "Bob")], next_cursor: null } };
    return {
      status,
      body: { code: status === 503 ? "unavailable" : "forbidden", error: "", retryable: status === 503 },
    };
  });
  let time = 0;
  const directory = new Directory(harness.client(), { now: () => time });
  expect(directory.get("bob")).toBeUndefined();
  await until(() => asked === 1);
  time += 6_000;
  status = 403;
  await until(() => directory.get("bob") === null);
  time += 2_000_000;
  status = 200;
  await until(() => directory.get("bob")?.name === "Bob");
  directory.close();
});

test("a channel is made and joined", async () => {
  const { routes } = harness.server;
  const channel = { id: "channel:x", type: "channel", name: "News", join: "open", role: "member", head: 3 };
  let made: unknown;
  routes.set("POST /v1/conversations", ({ body }) => {
    made = body;
    return { status: 201, body: { ...channel, role: "owner" } };
  });
  routes.set("PUT /v1/conversations/channel:x/members/alice", () => ({ status: 201, body: channel }));
  const alice = harness.client();
  await alice.connected();
  expect((await createChannel(alice, { name: "News", join: "open" })).role).toBe("owner");
  expect(made).toEqual({ type: "channel", name: "News", join: "open" });
  expect((await joinChannel(alice, "channel:x")).head).toBe(3);
});

test("a message and a user are reported", async () => {
  const bodies: unknown[] = [];
  harness.server.routes.set("POST /v1/reports", ({ body }) => {
    bodies.push(body);
    return { status: 201, body: { id: "r1", reason: "spam", comment: "", created_at: 1, user_id: "bob" } };
  });
  const alice = harness.client();
  expect((await reportMessage(alice, "dm:alice:bob", 7, { reason: "spam" })).id).toBe("r1");
  await reportUser(alice, "bob", { reason: "abuse", comment: "again" });
  expect(bodies).toEqual([
    { conversation_id: "dm:alice:bob", seq: 7, reason: "spam" },
    { user_id: "bob", reason: "abuse", comment: "again" },
  ]);
});

test("several files go out as attachments of one message, once all of them are taken", async () => {
  const { server } = harness;
  let number = 0;
  const announced: unknown[] = [];
  server.routes.set("POST /v1/files", ({ body }) => {
    announced.push(body);
    const id = `f${++number}`;
    const upload = { url: `${server.urls.httpUrl}/bucket`, fields: {} };
    const { name, size } = body as { name: string; size: number };
    const file = { file_id: id, kind: name.endsWith("png") ? "image" : "file", name, size };
    server.routes.set(`GET /v1/files/${id}`, () => ({ status: 200, body: { ...file, status: "ready" } }));
    return { status: 201, body: { ...file, status: "pending", upload } };
  });
  server.routes.set("POST /bucket", () => ({ status: 204 }));
  const alice = harness.client();
  await alice.connected();
  const told: number[] = [];
  const files = [
    { file: new Uint8Array([1, 2, 3]), name: "a.png" },
    { file: new Blob(["words"]), name: "b.txt", kind: "file" as const },
  ];
  await sendFiles(alice, { to: "bob" }, files, { caption: "both", onProgress: (done) => told.push(done) });
  expect(announced).toHaveLength(2);
  expect(told.at(-1)).toBe(8);
  const { content, attachments } = server.frames.find((frame) => frame.type === "message") ?? {};
  expect(content).toBe("both");
  expect((attachments as { type: string; name: string }[]).map(({ type, name }) => [type, name])).toEqual([
    ["image", "a.png"],
    ["file", "b.txt"],
  ]);
  await expect(sendFiles(alice, { to: "bob" }, [])).rejects.toMatchObject({ code: "bad_request" });
  const eleven = Array.from({ length: 11 }, () => files[0] as (typeof files)[0]);
  await expect(sendFiles(alice, { to: "bob" }, eleven)).rejects.toMatchObject({ code: "bad_request" });
});

test("a record that has changed comes live, and a version of the inbox is asked for once, with all others", async () => {
  const { asked, all } = people();
  const heard = new Map<string, (event: never) => void>();
  const alice = harness.client();
  const on = ((type: string, listener: (event: never) => void) => {
    heard.set(type, listener);
    return () => heard.delete(type);
  }) as never;
  const directory = new Directory({ api: alice.api, on });
  const live = (user: ReturnType<typeof record>) =>
    heard.get("event")?.({ type: "user_updated", user_id: user.user_id, version: user.version, user } as never);
  directory.get("bob");
  directory.get("carol");
  await until(() => directory.get("bob") && directory.get("carol"));
  live(record("bob", "Robert", 3));
  expect(directory.get("bob")?.name).toBe("Robert");
  live(record("bob", "Bob again", 2));
  expect(directory.get("bob")?.name).toBe("Robert");
  live(record("bob", "Without a record", 0));
  expect(directory.get("bob")?.name).toBe("Without a record");
  heard.get("event")?.({ type: "typing", conversation_id: "c", user_id: "bob", active: true } as never);
  expect(asked).toHaveLength(1);
  all.set("bob", record("bob", "Bob", 5));
  all.set("carol", record("carol", "Caro", 6));
  heard.get("versions")?.({ bob: 5, carol: 6, stranger: 9, dave: 0 } as never);
  await until(() => directory.get("carol")?.name === "Caro");
  expect(asked.slice(1)).toEqual(["ids=bob%2Ccarol"]);
  heard.get("versions")?.({ bob: 4, carol: 6 } as never);
  all.delete("carol");
  heard.get("versions")?.({ carol: 0 } as never);
  await until(() => directory.get("carol") === null);
  expect(asked.slice(2)).toEqual(["ids=carol"]);
  directory.close();
  expect(heard.size).toBe(0);
});
