// @vitest-environment happy-dom
import { type ConnectionState, type ParleyClient, ParleyError, type UploadOptions } from "@parley/client";
import { beforeEach, expect, test, vi } from "vitest";
import type { Shelf, Shelved } from "../src/lib/shelf";
import { asItem } from "../src/lib/upload-item";
import { Uploads } from "../src/lib/uploads";

const DM = "dm:alice:bob";
const PICTURE = new Blob(["abc"], { type: "image/png" });

/** A client that takes files when the test says so. */
class Taker {
  state: ConnectionState["state"] = "online";
  readonly asked: {
    id: string;
    name: string;
    signal?: AbortSignal;
    done: () => void;
    fail: (error: ParleyError) => void;
  }[] = [];
  readonly discarded: string[] = [];
  private listeners = new Set<() => void>();
  connection = () => ({ state: this.state });
  subscribe = (_: string, listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  become(state: ConnectionState["state"]) {
    this.state = state;
    for (const listener of [...this.listeners]) listener();
  }
  discard = (id: string) => void this.discarded.push(id);
  sendFile = (_where: unknown, _blob: Blob, options: UploadOptions & { client_message_id: string }) => {
    const { client_message_id: id, name, signal } = options;
    const stored = new Promise<void>((resolve, reject) => {
      this.asked.push({ id, name, ...(signal && { signal }), done: resolve, fail: reject });
      signal?.addEventListener("abort", () => reject(new ParleyError("aborted", "called off")));
    });
    return { client_message_id: id, stored };
  };
}

function memoryShelf(): Shelf & { files: Map<string, Shelved> } {
  const files = new Map<string, Shelved>();
  return {
    files,
    all: async () => [...files.values()],
    has: async (id) => files.has(id),
    put: async (one) => void files.set(one.id, one),
    drop: async (ids) => {
      for (const id of ids) files.delete(id);
    },
    clear: async () => files.clear(),
  };
}

let taker: Taker;
let shelf: ReturnType<typeof memoryShelf>;

beforeEach(() => {
  sessionStorage.clear();
  taker = new Taker();
  shelf = memoryShelf();
});

async function page(): Promise<Uploads> {
  const uploads = new Uploads("alice", shelf);
  await uploads.start(taker as unknown as ParleyClient);
  return uploads;
}
const settled = (look: () => void) => vi.waitFor(look, { timeout: 5_000 });
const only = (uploads: Uploads) => uploads.of(DM)[0];

test("a file waits for a connection, is sent then, and is off the shelf when its message is in the outbox", async () => {
  taker.state = "offline";
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  expect(only(uploads)?.state).toBe("waiting");
  await settled(() => expect(shelf.files.size).toBe(1));
  expect(taker.asked).toEqual([]);
  taker.become("online");
  await settled(() => expect(taker.asked.map((one) => one.name)).toEqual(["hill.png"]));
  expect(only(uploads)?.state).toBe("running");
  await uploads.arrived([taker.asked[0]?.id ?? ""]);
  expect(uploads.of(DM)).toEqual([]);
  expect(shelf.files.size).toBe(0);
});

test("one that found no answer is tried again, under the same id; it never counts as failed", async () => {
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  taker.state = "offline";
  taker.asked[0]?.fail(new ParleyError("unreachable", "Failed to fetch", true));
  await settled(() => expect(only(uploads)?.state).toBe("waiting"));
  expect(taker.discarded).toEqual([taker.asked[0]?.id]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(taker.asked).toHaveLength(1);
  taker.become("online");
  await settled(() => expect(taker.asked).toHaveLength(2));
  expect(taker.asked[1]?.id).toBe(taker.asked[0]?.id);
});

test("one that is refused says why, and is not tried again", async () => {
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  taker.asked[0]?.fail(new ParleyError("file_rejected", "The file was not taken: wrong_type"));
  await settled(() => expect(only(uploads)?.state).toBe("failed"));
  const item = asItem(only(uploads) as NonNullable<ReturnType<typeof only>>, "alice");
  expect(item).toMatchObject({ state: "failed", error: { code: "file_rejected" } });
  expect(shelf.files.size).toBe(0);
  uploads.discard(item.key);
  expect(uploads.of(DM)).toEqual([]);
});

test.each(["unauthenticated", "token_expired", "aborted", "closed"])(
  "one that met the end of the session waits with its bytes, and goes on in the next: %s",
  async (code) => {
    const first = await page();
    first.add(DM, PICTURE, "hill.png");
    await settled(() => expect(taker.asked).toHaveLength(1));
    taker.become("ended");
    taker.asked[0]?.fail(new ParleyError(code, "No"));
    await settled(() => expect(only(first)?.state).toBe("waiting"));
    first.stop();
    expect([...shelf.files.values()]).toMatchObject([{ name: "hill.png", blob: PICTURE }]);
    taker.state = "online";
    await page();
    await settled(() => expect(taker.asked).toHaveLength(2));
    expect(taker.asked[1]).toMatchObject({ id: taker.asked[0]?.id, name: "hill.png" });
  },
);

test("whatever it met when the session was at its end, it waits", async () => {
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  taker.become("ended");
  taker.asked[0]?.fail(new ParleyError("revoked", "An administrator has closed it"));
  await settled(() => expect(only(uploads)?.state).toBe("waiting"));
  expect(shelf.files.size).toBe(1);
});

test("one that waits lets its lock go when its session ends: the next one has it at once", async () => {
  const held = new Map<string, Promise<void>>();
  const request = (name: string, work: () => Promise<void>) => {
    const turn = (held.get(name) ?? Promise.resolve()).then(work);
    held.set(name, turn);
    return turn;
  };
  vi.stubGlobal("navigator", { locks: { request } });
  taker.state = "ended";
  const first = await page();
  first.add(DM, PICTURE, "hill.png");
  await settled(() => expect(held.size).toBe(1));
  first.stop();
  taker.state = "online";
  await page();
  await settled(() => expect(taker.asked).toHaveLength(1));
  vi.unstubAllGlobals();
});

test("where the browser has no locks for the page, it is sent all the same", async () => {
  const refuse = () => Promise.reject(new DOMException("It is insecure", "SecurityError"));
  vi.stubGlobal("navigator", { locks: { request: refuse } });
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  vi.unstubAllGlobals();
});

test("the next page goes on where this one was closed", async () => {
  const first = await page();
  first.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  first.stop();
  expect(taker.asked[0]?.signal?.aborted).toBe(true);
  await page();
  await settled(() => expect(taker.asked).toHaveLength(2));
  expect(taker.asked[1]).toMatchObject({ id: taker.asked[0]?.id, name: "hill.png" });
});

test("a file that there was no time to keep is told of, until that is put away", async () => {
  const first = await page();
  shelf.put = () => new Promise(() => undefined);
  first.add(DM, PICTURE, "hill.png");
  first.stop();
  const second = await page();
  expect(only(second)).toMatchObject({ name: "hill.png", state: "failed", problem: { code: "lost" } });
  second.discard(only(second)?.id ?? "");
  expect((await page()).of(DM)).toEqual([]);
});

test("where nothing can be kept, it is sent all the same", async () => {
  const uploads = await page();
  shelf.put = () => Promise.reject(new Error("no room"));
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
});

test("one whose message was in the outbox when the page was left is not uploaded again", async () => {
  const first = await page();
  first.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  first.stop();
  const second = new Uploads("alice", shelf);
  await second.arrived([taker.asked[0]?.id ?? ""]);
  await second.start(taker as unknown as ParleyClient);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(taker.asked).toHaveLength(1);
});

test("an empty file is not even tried", async () => {
  const uploads = await page();
  uploads.add(DM, new Blob([]), "empty.txt");
  expect(only(uploads)).toMatchObject({ state: "failed", problem: { code: "empty" } });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(taker.asked).toEqual([]);
});

test("one that is called off is gone, and nothing more is done about it", async () => {
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(taker.asked).toHaveLength(1));
  uploads.discard(taker.asked[0]?.id ?? "");
  expect(taker.asked[0]?.signal?.aborted).toBe(true);
  await settled(() => expect(shelf.files.size).toBe(0));
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(taker.asked).toHaveLength(1);
  expect(uploads.of(DM)).toEqual([]);
});

test("signing out takes them off the shelf", async () => {
  taker.state = "offline";
  const uploads = await page();
  uploads.add(DM, PICTURE, "hill.png");
  await settled(() => expect(shelf.files.size).toBe(1));
  await uploads.clear();
  expect(shelf.files.size).toBe(0);
  expect(sessionStorage.length).toBe(0);
});
