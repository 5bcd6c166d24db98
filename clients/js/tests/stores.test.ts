/** What a client asks of a store, asked of each; and what only the file has to answer for. */

import "fake-indexeddb/auto";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Batch, indexedDBStore, memoryStore, type Store, type StoredItem, type StoredRow } from "../src/index.js";
import { fileStore } from "../src/node.js";
import { emptyBatch } from "../src/store/store.js";
import { DM, Harness, messages, shown } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();
const folder = mkdtempSync(join(tmpdir(), "parley-stores-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newPath = () => join(folder, `${++files}.jsonl`);
const nothing = { conversations: [], put: [], drop: [] };

function item(seq: number, content = `message ${seq}`): StoredItem {
  const base = { id: `${DM}/${seq}`, conversation_id: DM, seq, sender_id: "bob", type: "text" as const };
  return { conversation_id: DM, seq, message: { ...base, content, created_at: seq } };
}

function row(id: string): StoredRow {
  return { row: { id } as StoredRow["row"], rank: 1 };
}

function batch(more: Partial<Batch>): Batch {
  return { ...emptyBatch(), ...more };
}

const message = (id: string) => {
  return {
    client_message_id: id,
    to: "bob",
    conversation_id: DM,
    body: { content: id },
    after: 0,
    order: 1,
    created_at: 1,
  };
};

/** One, and how to find what it has after a restart. */
const STORES: Record<string, () => { store: Store; again: () => Store }> = {
  memory: () => {
    const store = memoryStore();
    return { store, again: () => store };
  },
  indexeddb: () => {
    const name = `contract ${++files}`;
    return { store: indexedDBStore(name), again: () => indexedDBStore(name) };
  },
  file: () => {
    const path = newPath();
    return { store: fileStore(path), again: () => fileStore(path) };
  },
};

test.each(Object.keys(STORES))("%s: a store gives back what was written", async (kind) => {
  const { store, again } = (STORES[kind] as (typeof STORES)["memory"])();
  expect(await store.load()).toEqual({
    saved: { meta: null, cursors: [], conversations: [], outbox: [] },
    rows: [],
    from: [],
  });
  const meta = { version: 1, user_id: "alice", synced: true };
  const conversation = { id: DM, held: 3, over: false, ended: 0, order: 1 };
  const cursors = [{ kind: "read" as const, conversation_id: DM, seq: 3 }];
  const put = [message("m1"), message("m2")];
  await store.write(batch({ saves: [{ meta, cursors, conversations: [conversation], put, drop: [] }] }));
  await store.write(batch({ items: [1, 2, 3].map((seq) => item(seq)), rows: [row("a"), row("b")], from: [[DM, 1]] }));
  await store.write(
    batch({
      saves: [
        { ...nothing, drop: ["m1"] },
        { ...nothing, conversations: [{ ...conversation, held: 4 }] },
      ],
      changes: [
        {
          type: "message_edited",
          conversation_id: DM,
          seq: 4,
          message_seq: 2,
          message_id: `${DM}/2`,
          user_id: "bob",
          timestamp: 9,
          content: "edited",
        },
      ],
      dropRows: ["a"],
      from: [[DM, 2]],
    }),
  );
  store.close();
  const next = again();
  const loaded = await next.load();
  expect(loaded.saved).toEqual({
    meta,
    cursors,
    conversations: [{ ...conversation, held: 4 }],
    outbox: [message("m2")],
  });
  expect(loaded.rows).toEqual([row("b")]);
  expect(loaded.from).toEqual([[DM, 2]]);
  const contents = async (range: Parameters<Store["items"]>[1]) => {
    return (await next.items(DM, range)).map((each) => each.message?.content);
  };
  expect(await contents({ limit: 2 })).toEqual(["edited", "message 3"]);
  expect(await contents({ before: 3, limit: 5 })).toEqual(["message 1", "edited"]);
  expect(await contents({ after: 1, limit: 1 })).toEqual(["edited"]);
  await next.clear();
  expect((await next.load()).saved.meta).toBeNull();
  expect(await contents({ limit: 9 })).toEqual([]);
  next.close();
});

test("with a file a restart shows what was there without a network, and sends what was not sent", async () => {
  const { server } = harness;
  const path = newPath();
  const store = fileStore(path);
  const first = harness.client({ store });
  await first.connected();
  server.say(DM, "bob", "hello", ["alice", "bob"]);
  await until(() => first.conversation(DM));
  server.onFrame = (frame) => (frame.type === "message" ? null : undefined);
  first.send({ to: "bob" }, "hi");
  await until(() => server.frames.some((frame) => frame.type === "message"));
  await first.close();
  store.close();
  server.onFrame = () => undefined;
  const told: number[] = [];
  const restarted = fileStore(path);
  const second = harness.client({ store: restarted });
  second.on("entry", (entry) => told.push(entry.seq));
  await second.start();
  second.open(DM);
  await until(() => shown(second).length === 2);
  await second.connected();
  await until(() => shown(second)[1]?.[1] === "sent");
  expect(told).toEqual([2]);
  expect(messages(second).map((each) => each.seq)).toEqual([1, 2]);
  await second.close();
  restarted.close();
  await expect(restarted.write(batch({}))).rejects.toThrow("The store is closed");
  await second.forget();
  await second.connected();
  expect(told).toEqual([2]);
  await second.close();
  restarted.close();
});

test("a database that was deleted by another page ends the client, and the next start begins with a new one", async () => {
  const { server } = harness;
  const alice = harness.client({ store: indexedDBStore("deleted") });
  await alice.connected();
  server.say(DM, "bob", "hello", ["alice", "bob"]);
  await until(() => alice.conversation(DM));
  await new Promise((resolve) => {
    indexedDB.deleteDatabase("deleted").onsuccess = resolve;
  });
  server.say(DM, "bob", "again", ["alice", "bob"]);
  await until(() => alice.connection().state === "ended");
  expect(alice.connection().code).toBe("not_saved");
  await alice.connected();
  alice.open(DM);
  await until(() => shown(alice).length === 2);
});

test("a database that can't be opened once is opened when the client is started again", async () => {
  const { open } = indexedDB;
  let refused = 0;
  indexedDB.open = (...given) => {
    if (refused++ < 2) throw new Error("not now");
    return open.apply(indexedDB, given);
  };
  const alice = harness.client({ store: indexedDBStore("refused") });
  await expect(alice.connected()).rejects.toMatchObject({ code: "not_saved" });
  await alice.connected();
  indexedDB.open = open;
});

test("what a crash has cut was not told, and is left out; what is broken otherwise is said", async () => {
  const path = newPath();
  const store = fileStore(path);
  await store.load();
  await store.write(batch({ items: [item(1)] }));
  store.close();
  await until(() => !existsSync(`${path}.lock`));
  appendFileSync(path, JSON.stringify(batch({ items: [item(2)] })).slice(0, -9));
  const next = fileStore(path);
  await next.load();
  expect((await next.items(DM, { limit: 9 })).map((each) => each.seq)).toEqual([1]);
  await next.write(batch({ items: [item(3)] }));
  next.close();
  const last = fileStore(path);
  await last.load();
  expect((await last.items(DM, { limit: 9 })).map((each) => each.seq)).toEqual([1, 3]);
  last.close();
  await until(() => !existsSync(`${path}.lock`));
  writeFileSync(path, `this is none\n${readFileSync(path, "utf8")}`);
  const alice = harness.client({ store: fileStore(path) });
  await expect(alice.connected()).rejects.toMatchObject({ code: "not_saved" });
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("a file is one store's at a time, and that of a process that has died is free", async () => {
  const path = newPath();
  const store = fileStore(path);
  await store.load();
  await expect(fileStore(path).load()).rejects.toThrow("close it first");
  await store.write(batch({ items: [item(1)] }));
  await store.load(); // a client that is started again
  store.close();
  await until(() => !existsSync(`${path}.lock`));
  writeFileSync(`${path}.lock`, String(process.ppid));
  await expect(fileStore(path).load()).rejects.toThrow(`in use by process ${process.ppid}`);
  for (const left of ["", "999999999", String(process.pid)]) {
    writeFileSync(`${path}.lock`, left);
    const next = fileStore(path);
    await next.load();
    expect(await next.items(DM, { limit: 9 })).toHaveLength(1);
    next.close();
    await until(() => !existsSync(`${path}.lock`));
  }
  expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
});

test("a file is written anew before it grows without end, and takes the latest of each conversation along", async () => {
  const path = newPath();
  const store = fileStore(path);
  await store.load();
  await store.write(batch({ from: [[DM, 1]] }));
  const long = "long ".repeat(100);
  for (let first = 1; first <= 3_001; first += 1_000) {
    await store.write(batch({ items: Array.from({ length: 1_000 }, (_, index) => item(first + index, long)) }));
  }
  for (let time = 0; time < 3; time++) {
    await store.write(batch({ items: Array.from({ length: 1_000 }, (_, index) => item(1 + index, long)) }));
  }
  expect(statSync(path).size).toBeLessThan(4 << 20);
  expect(await store.items(DM, { limit: 9_000 })).toHaveLength(4_000);
  store.close();
  const next = fileStore(path);
  expect((await next.load()).from).toEqual([[DM, 3_001]]);
  expect(await next.items(DM, { limit: 9_000 })).toHaveLength(1_000);
  next.close();
  await until(() => !existsSync(`${path}.lock`));
});

test("where there is no such folder the client ends and says so", async () => {
  const alice = harness.client({ store: fileStore(join(folder, "no", "such")) });
  await expect(alice.connected()).rejects.toMatchObject({ code: "not_saved" });
  expect(alice.connection().reason).toContain("no such file");
});
