/** Functions that are one request each: which one, as the protocol has it, and what of its answer they give. */

import { expect, test } from "vitest";
import { ParleyAdmin } from "../src/admin.js";
import type { Api } from "../src/http.js";
import * as more from "../src/more.js";

type Given = { path?: Record<string, unknown>; query?: object; body?: unknown };

/** A client whose requests are noted: `GET /v1/contacts/bob {"alias":"Bob"}`. */
function noting(answer: object = {}) {
  const asked: string[] = [];
  const call =
    (method: string) =>
    async (path: string, { path: names = {}, body }: Given = {}) => {
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => String(names[name]));
      asked.push([method, filled, ...(body === undefined ? [] : [JSON.stringify(body)])].join(" "));
      return answer;
    };
  const methods = ["get", "put", "post", "patch", "delete"];
  const api = Object.fromEntries(methods.map((method) => [method, call(method.toUpperCase())])) as unknown as Api;
  return { asked, client: { api, userId: "alice" } };
}

const G = "group:x";
type Noted = ReturnType<typeof noting>["client"];
const REQUESTS: [string, (client: Noted) => Promise<unknown>][] = [
  ["GET /v1/me", (client) => more.me(client)],
  ['PUT /v1/me {"mail":"off"}', (client) => more.updateMe(client, { mail: "off" })],
  [
    `PATCH /v1/conversations/${G}/settings {"archived":true}`,
    (client) => more.updateSettings(client, G, { archived: true }),
  ],
  ["GET /v1/contacts", (client) => more.contacts(client)],
  ['POST /v1/contacts {"user_id":"bob"}', (client) => more.requestContact(client, "bob")],
  ['PATCH /v1/contacts/bob {"status":"accepted"}', (client) => more.acceptContact(client, "bob")],
  ['PATCH /v1/contacts/bob {"alias":null}', (client) => more.renameContact(client, "bob", null)],
  ["DELETE /v1/contacts/bob", (client) => more.removeContact(client, "bob")],
  ["GET /v1/blocks", (client) => more.blocks(client)],
  ["PUT /v1/blocks/bob", (client) => more.block(client, "bob")],
  ["DELETE /v1/blocks/bob", (client) => more.unblock(client, "bob")],
  ["GET /v1/devices", (client) => more.devices(client)],
  [
    'PUT /v1/devices/phone {"platform":"fcm","token":"t"}',
    (client) => more.registerDevice(client, "phone", { platform: "fcm", token: "t" }),
  ],
  ["DELETE /v1/devices/phone", (client) => more.forgetDevice(client, "phone")],
  ["POST /v1/me/export", (client) => more.exportMe(client)],
  ["GET /v1/me/export", (client) => more.myExport(client)],
  ["GET /v1/push/web-key", (client) => more.webKey(client)],
  [`POST /v1/conversations/${G}/messages/7/reminders {"at":9}`, (client) => more.remind(client, G, 7, 9)],
  ["GET /v1/reminders", (client) => more.reminders(client)],
  ["DELETE /v1/reminders/r", (client) => more.cancelReminder(client, "r")],
  ['POST /v1/conversations {"type":"private","with":"bob"}', (client) => more.createPrivate(client, "bob")],
  ['POST /v1/conversations {"type":"group","name":"A"}', (client) => more.createGroup(client, { name: "A" })],
  [`DELETE /v1/conversations/${G}`, (client) => more.leave(client, G)],
  [`GET /v1/conversations/${G}/members`, (client) => more.members(client, G)],
  [`POST /v1/conversations/${G}/members {"users":["bob"]}`, (client) => more.addMembers(client, G, ["bob"])],
  [
    `PATCH /v1/conversations/${G}/members/bob {"role":"admin"}`,
    (client) => more.updateMember(client, G, "bob", { role: "admin" }),
  ],
  [`DELETE /v1/conversations/${G}/members/bob`, (client) => more.removeMember(client, G, "bob")],
  [`GET /v1/conversations/${G}/messages/7`, (client) => more.message(client, G, 7)],
  ["GET /v1/presence", (client) => more.presenceOf(client, ["bob"])],
];

test.each(REQUESTS)("%s", async (request, ask) => {
  const { asked, client } = noting();
  await ask(client);
  expect(asked).toEqual([request]);
});

test("lists are given as lists, and a deployment without pushes to browsers has no key", async () => {
  const { client } = noting({ contacts: [1], blocks: [2], devices: [3], reminders: [4], members: [5], users: [6] });
  const asked = [more.contacts(client), more.blocks(client), more.devices(client), more.reminders(client)];
  const found = await Promise.all([...asked, more.members(client, G), more.presenceOf(client, ["bob"])]);
  expect(found).toEqual([[1], [2], [3], [4], [5], [6]]);
  expect(await more.webKey(client)).toBeNull();
  expect(await more.webKey(noting({ public_key: "k" }).client)).toBe("k");
});

const BY_ADMINS: [string, (admin: ParleyAdmin) => Promise<unknown>][] = [
  ["GET /v1/users/bob/export", (admin) => admin.exportOf("bob")],
  ["GET /v1/users/bob/erasure", (admin) => admin.erasureOf("bob")],
  ["POST /v1/users/bob/removal", (admin) => admin.removeMessages("bob")],
  ["GET /v1/users/bob/removal", (admin) => admin.removalOf("bob")],
  ['PUT /v1/users/bob/hold {"reason":"case 4711"}', (admin) => admin.hold("bob", "case 4711")],
  ["GET /v1/users/bob/hold", (admin) => admin.holdOf("bob")],
  ["DELETE /v1/users/bob/hold", (admin) => admin.endHold("bob")],
  [
    'PUT /v1/conversations/dm%3Aa%3Ab/hold {"reason":"case 4711"}',
    (admin) => admin.holdConversation("dm:a:b", "case 4711"),
  ],
  ["GET /v1/conversations/dm%3Aa%3Ab/hold", (admin) => admin.conversationHoldOf("dm:a:b")],
  ["DELETE /v1/conversations/dm%3Aa%3Ab/hold", (admin) => admin.endConversationHold("dm:a:b")],
  ['POST /v1/imports {"lines":[{"type":"x"}]}', (admin) => admin.importLines([{ type: "x" }])],
  ["GET /v1/users/bob/shadow-ban", (admin) => admin.shadowBanOf("bob")],
  ["GET /v1/word-lists", (admin) => admin.wordLists()],
  [
    'PUT /v1/word-lists/bad {"action":"mask","words":["scoundrel"]}',
    (admin) => admin.putWordList("bad", { action: "mask", words: ["scoundrel"] }),
  ],
  ["DELETE /v1/word-lists/bad", (admin) => admin.deleteWordList("bad")],
  ["GET /v1/webhooks", (admin) => admin.webhooks()],
  ["GET /v1/webhooks/w", (admin) => admin.webhook("w")],
  ['PUT /v1/webhooks/w {"url":"https://x"}', (admin) => admin.putWebhook("w", { url: "https://x" })],
  ["DELETE /v1/webhooks/w", (admin) => admin.deleteWebhook("w")],
  ["POST /v1/webhooks/w/rotate", (admin) => admin.rotateSecret("w")],
  ['POST /v1/webhooks/w/replay {"since":5}', (admin) => admin.replay("w", { since: 5 })],
  ["POST /v1/webhooks/w/test", (admin) => admin.tryWebhook("w")],
  ["GET /v1/reports/r", (admin) => admin.report("r")],
  ["GET /v1/held/h", (admin) => admin.heldMessage("h")],
  ["GET /v1/broadcasts?limit=100", (admin) => admin.broadcasts().next()],
  ['POST /v1/notifications {"users":["bob"],"title":"Hi"}', (admin) => admin.notify({ users: ["bob"], title: "Hi" })],
];

test.each(BY_ADMINS)("a server: %s", async (request, ask) => {
  const asked: string[] = [];
  const fetch = async (url: URL, { method, body }: RequestInit) => {
    asked.push([method, url.pathname + url.search, ...(body === undefined ? [] : [String(body)])].join(" "));
    return Response.json({ lists: [], webhooks: [], broadcasts: [], next_cursor: null, id: "i" });
  };
  await ask(new ParleyAdmin({ httpUrl: "http://x", token: "t", fetch: fetch as typeof globalThis.fetch }));
  expect(asked).toEqual([request]);
});

test("null stands for what is not there", async () => {
  const none = { error: "There is none", code: "not_found", retryable: false };
  const fetch = (async () => Response.json(none, { status: 404 })) as typeof globalThis.fetch;
  const admin = new ParleyAdmin({ httpUrl: "http://x", token: "t", fetch });
  const asked = [admin.holdOf("bob"), admin.exportOf("bob"), admin.erasureOf("bob"), admin.removalOf("bob")];
  expect(await Promise.all([...asked, admin.webhook("w"), admin.report("r")])).toEqual(Array(6).fill(null));
});
