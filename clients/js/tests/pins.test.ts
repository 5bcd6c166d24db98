/** What is pinned, and what one may: asked for once, in the store from then on, and followed. */

import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { indexedDBStore, type ParleyClient } from "../src/index.js";
import { may, pins } from "../src/more.js";
import { pinsAfter } from "../src/views/pins.js";
import { Harness } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();
const G = "group:x";
const BOTH = ["alice", "bob"];
const message = (seq: number, content: string) => {
  return {
    id: `${G}/${seq}`,
    conversation_id: G,
    seq,
    sender_id: "bob",
    content,
    type: "text" as const,
    created_at: 1,
  };
};
const pin = (seq: number) => {
  return { seq, message_id: `${G}/${seq}`, pinned_by: "bob", pinned_at: 1, message: message(seq, `m${seq}`) };
};
const updated = (changes: object) => ({ type: "conversation_updated", user_id: "bob", timestamp: 5, changes });
const shown = (of: ParleyClient) => of.conversation(G)?.pins?.map((each) => each.seq);

/** A group of three messages, in which these are pinned. */
async function group(...pinned: number[]): Promise<void> {
  harness.server.write(G, { type: "member_added", user_id: "bob", users: BOTH, timestamp: 1 }, BOTH);
  for (const content of ["m2", "m3"]) harness.server.say(G, "bob", content, BOTH);
  harness.server.routes.set(`GET /v1/conversations/${G}/pins`, () => ({
    status: 200,
    body: { pins: pinned.map(pin) },
  }));
}

test("what is pinned is in the row from the first answer on, follows what happens, and is there after a reload without a network", async () => {
  await group(2);
  const alice = harness.client({ store: indexedDBStore("pins") });
  await alice.connected();
  await until(() => alice.conversation(G));
  expect(shown(alice)).toBeUndefined();
  harness.server.write(G, updated({ pinned: 3 }), BOTH); // not followed before it was asked for
  await until(() => alice.conversation(G)?.head === 4);
  expect(await pins(alice, G)).toEqual([pin(2)]);
  expect(shown(alice)).toEqual([2]);
  let told = 0;
  alice.subscribe(`conversation:${G}`, () => told++);
  harness.server.write(G, updated({ pinned: 3 }), BOTH);
  await until(() => shown(alice)?.length === 2);
  expect(alice.conversation(G)?.pins?.[0]).toEqual({ seq: 3, pinned_by: "bob", pinned_at: 5 });
  const edited = { type: "message_edited", message_seq: 2, user_id: "bob", content: "so", timestamp: 6 };
  harness.server.write(G, { ...edited, message_id: `${G}/2` }, BOTH);
  await until(() => alice.conversation(G)?.pins?.[1]?.message?.content === "so");
  await alice.refreshInbox(); // the server's rows do not say it
  expect(shown(alice)).toEqual([3, 2]);
  expect(told).toBeGreaterThanOrEqual(2);
  await alice.close();

  const nowhere = { url: "ws://127.0.0.1:9/", httpUrl: "http://127.0.0.1:9" };
  const again = harness.client({ store: indexedDBStore("pins"), ...nowhere });
  await again.start();
  expect(shown(again)).toEqual([3, 2]);
  expect(again.conversation(G)?.pins?.[1]?.message?.content).toBe("so");
});

test("what changes while it is asked for is not lost", async () => {
  await group(2);
  const alice = harness.client();
  await alice.connected();
  await until(() => alice.conversation(G));
  let asked = 0;
  harness.server.routes.set(`GET /v1/conversations/${G}/pins`, () => {
    asked++;
    if (asked > 1) return { status: 200, body: { pins: [pin(3), pin(2)] } };
    harness.server.write(G, updated({ pinned: 3 }), BOTH);
    return { status: 200, body: { pins: [pin(2)] } };
  });
  const heard = new Promise((resolve) => alice.on("entry", resolve));
  const { api } = alice;
  const slow = { ...api, get: async (...given: never[]) => heardFirst(await (api.get as never as Get)(...given)) };
  const heardFirst = async (answer: unknown) => {
    if (asked === 1) await heard;
    return answer;
  };
  type Get = (...given: never[]) => Promise<unknown>;
  const client = { api: slow as never, on: alice.on.bind(alice), note: alice.note.bind(alice) };
  expect((await pins(client, G)).map((each) => each.seq)).toEqual([3, 2]);
  expect([asked, shown(alice)]).toEqual([2, [3, 2]]);
});

test("what one may is kept, and asked for again when one's role changes", async () => {
  await group();
  const alice = harness.client();
  await alice.connected();
  await until(() => alice.conversation(G));
  let permissions = ["send", "pin"];
  const row = () => ({ ...alice.conversation(G), role: permissions.includes("pin") ? "admin" : "member", permissions });
  harness.server.routes.set(`GET /v1/conversations/${G}`, () => ({ status: 200, body: row() }));
  expect(await may(alice, G)).toEqual(["send", "pin"]);
  await alice.refreshInbox();
  expect(alice.conversation(G)?.permissions).toEqual(["send", "pin"]);
  permissions = ["send"];
  harness.server.write(G, updated({ roles: { bob: "owner" } }), BOTH);
  await until(() => alice.conversation(G)?.head === 4);
  expect(alice.conversation(G)?.permissions).toEqual(["send", "pin"]);
  harness.server.write(G, updated({ roles: { alice: "member" } }), BOTH);
  await until(() => alice.conversation(G)?.permissions?.length === 1);
  expect(alice.conversation(G)?.role).toBe("member");
});

test("an entry that is about no pin leaves the list as it is", () => {
  const list = [pin(2)];
  const said = { type: "new_message" as const, conversation_id: G, seq: 4, message: message(4, "m4") };
  expect(pinsAfter(list, said)).toBe(list);
  const renamed = { ...updated({ name: "A" }), type: "conversation_updated" as const, conversation_id: G, seq: 4 };
  expect(pinsAfter(list, renamed)).toBe(list);
});
