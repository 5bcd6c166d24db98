/**
 * The same chat as chat.py's, with whichever @parley/client `module` names. Only what the previous release has is used.
 * node chat.mjs '{"mode": "chat", "module": …, "url": …, "http_url": …, "tokens": {…}, "names": {…}}'
 */

import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";

const PATIENCE = 90_000;
const POLL = 20;
const given = JSON.parse(process.argv[2]);
const { memoryStore, ParleyClient } = await import(given.module);

async function until(found, what) {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await pause(POLL)) {
    const value = found();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`never came: ${what}`);
}

class Person {
  constructor(name, store = memoryStore()) {
    const { url, http_url: httpUrl, tokens } = given;
    this.store = store;
    this.told = [];
    this.lost = [];
    this.client = new ParleyClient({ url, httpUrl, token: () => tokens[name], store, WebSocket });
    this.client.on("entry", (entry) => this.told.push(entry));
    this.client.on("event", (event) => this.told.push(event));
    this.client.on("membership_lost", ({ conversation_id }) => this.lost.push(conversation_id));
  }

  async online() {
    await this.client.connected();
    return this;
  }

  hears(type, holds = () => true) {
    return until(() => this.told.find((each) => each.type === type && holds(each)), type);
  }

  says(content) {
    return this.hears("new_message", ({ message }) => message.content === content);
  }
}

async function inPrivate(alice, bob, b) {
  const ack = await alice.client.send({ to: b }, "hello").stored;
  const heard = await bob.says("hello");
  await bob.client.markRead(ack.conversation_id, ack.seq);
  const receipt = await alice.hears("read", (event) => event.user_id === b);
  const { seq } = await alice.client.send({ to: b }, "to be deleted").stored;
  await alice.client.edit(ack.conversation_id, ack.seq, "hello there");
  const edited = await bob.hears("message_edited");
  await bob.client.react(ack.conversation_id, ack.seq, "👍");
  const reaction = await alice.hears("reaction");
  await alice.client.delete(ack.conversation_id, seq);
  const deleted = await bob.hears("message_deleted");
  return {
    conversation: ack.conversation_id,
    heard: [heard.seq, heard.message.content],
    read: receipt.seq,
    edited: [edited.message_seq, edited.content],
    reaction: [reaction.message_seq, reaction.emoji],
    deleted: deleted.message_seq === seq,
  };
}

async function inAGroup(alice, bob, carol, b, c) {
  const { api } = alice.client;
  const { id } = await api.post("/v1/conversations", { body: { type: "group", name: "Tea", members: [b] } });
  const path = { conversation_id: id };
  await api.post("/v1/conversations/{conversation_id}/members", { path, body: { users: [c] } });
  const added = await bob.hears("member_added", (entry) => entry.conversation_id === id && entry.users.includes(c));
  await api.patch("/v1/conversations/{conversation_id}", { path, body: { name: "Tea at four" } });
  const renamed = await bob.hears("conversation_updated", (entry) => entry.changes.name === "Tea at four");
  await alice.client.send({ conversation_id: id }, "milk?").stored;
  const heard = await carol.says("milk?");
  const member = "/v1/conversations/{conversation_id}/members/{user_id}";
  await api.patch(member, { path: { ...path, user_id: c }, body: { role: "admin" } });
  await carol.client.api.delete(member, { path: { ...path, user_id: b } });
  await until(() => bob.lost.includes(id), "the end of bob's membership");
  const { members } = await api.get("/v1/conversations/{conversation_id}/members", { path });
  const roles = Object.fromEntries(members.map((one) => [one.user_id, one.role]));
  return {
    added: added.users,
    renamed: renamed.changes.name,
    heard: heard.message.content,
    roles: [alice.client.userId, b, c].map((name) => roles[name] ?? null),
  };
}

async function withAFile(alice, bob, b) {
  const bytes = new TextEncoder().encode("two spoons of sugar");
  const file = await alice.client.upload(bytes, { name: "recipe.txt", content_type: "text/plain", kind: "file" });
  await alice.client.send({ to: b }, "a recipe", { message_type: "file", file_id: file.file_id }).stored;
  const heard = await bob.says("a recipe");
  const links = await bob.client.fileLinks(heard.message.file_id);
  await bob.client.markRead(heard.conversation_id, heard.seq);
  await alice.hears("read", (event) => event.user_id === b && event.seq === heard.seq);
  return { type: heard.message.type, bytes: await (await fetch(links.download_url ?? links.url)).text() };
}

async function caughtUp(alice, b, store) {
  const texts = [0, 1, 2].map((number) => `missed ${number}`);
  let id = "";
  for (const text of texts) id = (await alice.client.send({ to: b }, text).stored).conversation_id;
  const bob = await new Person("b", store).online();
  await bob.says(texts.at(-1));
  const told = bob.told.filter((each) => each.type === "new_message").map(({ message }) => message.content);
  bob.client.open(id);
  const shown = await until(() => {
    const items = bob.client.timeline(id).items.filter((item) => item.kind === "message");
    return items.at(-1)?.message.content === texts.at(-1) && items.map((item) => item.message.content).slice(-3);
  }, "the timeline");
  await bob.client.refreshInbox();
  const unread = bob.client.conversation(id)?.unread;
  await bob.client.close();
  return { told, history: shown, unread };
}

async function chat() {
  const { b, c } = given.names;
  const [alice, bob, carol] = ["a", "b", "c"].map((name) => new Person(name));
  await Promise.all([alice, bob, carol].map((person) => person.online()));
  const report = { private: await inPrivate(alice, bob, b) };
  report.group = await inAGroup(alice, bob, carol, b, c);
  report.file = await withAFile(alice, bob, b);
  await Promise.all([bob, carol].map((person) => person.client.close()));
  report.sync = await caughtUp(alice, b, bob.store);
  await alice.client.close();
  return report;
}

/** Hear what others do in a group, whatever it is, until they say that they are done. */
async function listen() {
  const bob = await new Person("b").online();
  process.stdout.write("ready\n");
  const { conversation_id } = await bob.says(given.until);
  const seqs = bob.told.filter((each) => each.conversation_id === conversation_id && "seq" in each);
  const unknown = seqs.filter(({ type }) => type.startsWith("unknown:") || type.startsWith("malformed:"));
  const ofLog = seqs.filter(({ type }) => !["read", "delivered", "typing"].includes(type));
  bob.client.open(conversation_id);
  const items = await until(() => {
    const all = bob.client.timeline(conversation_id).items.filter((item) => item.kind === "message");
    return all.at(-1)?.message.content === given.until && all;
  }, "the timeline");
  await bob.client.refreshInbox();
  const name = bob.client.conversation(conversation_id)?.name;
  await bob.client.send({ conversation_id }, "still here").stored;
  await bob.client.close();
  return { seqs: ofLog.map(({ seq }) => seq), history: items.length, inbox: [name], unknown: unknown.map(({ type }) => type) };
}

/** Begin with what an earlier run has left in a file, which may be another version's; hear one message more. */
async function goOn() {
  const { fileStore } = await import(given.stores);
  const store = fileStore(given.state);
  const alice = await new Person("a").online();
  const bob = await new Person("b", store).online();
  const ack = await alice.client.send({ to: given.names.b }, given.until).stored;
  await bob.says(given.until);
  const told = bob.told.filter((each) => each.type === "new_message").map(({ message }) => message.content);
  await bob.client.close();
  await alice.client.close();
  store.close();
  return { told, held: ack.seq };
}

const report = await { chat, listen, "go on": goOn }[given.mode]();
process.stdout.write(`${JSON.stringify({ client: given.module, ...report })}\n`);
process.exit(0);
