/** Keeps everything in the browser's database: a reload shows inbox and messages before the network, and sends what was not sent. */

import type { SavedConversation, SavedMessage } from "../core/effects.js";
import { applyChange } from "../views/messages.js";
import type { Batch, ChangeEntry, Loaded, Range, Store, StoredItem, StoredRow } from "./store.js";

const VERSION = 1;
const STORES = ["state", "conversations", "outbox", "rows", "from", "items"] as const;

/** A database of this name, of one user of one deployment: put both into it. */
export function indexedDBStore(name: string): Store {
  return new IndexedDBStore(name);
}

class IndexedDBStore implements Store {
  #opened: Promise<IDBDatabase> | null = null;

  constructor(private readonly name: string) {}

  /** Where the database was lost, or could not be opened the last time, it is opened anew: nothing else does that. */
  load(): Promise<Loaded> {
    return this.#read().catch(() => {
      this.close();
      return this.#read();
    });
  }

  async #read(): Promise<Loaded> {
    const transaction = (await this.#database()).transaction(STORES);
    const all = <T>(store: string) => answer<T[]>(transaction.objectStore(store).getAll());
    const state = transaction.objectStore("state");
    const [meta, cursors, conversations, outbox, rows, from] = await Promise.all([
      answer(state.get("meta")),
      answer(state.get("cursors")),
      all<SavedConversation>("conversations"),
      all<SavedMessage>("outbox"),
      all<StoredRow>("rows"),
      all<[string, number]>("from"),
    ]);
    return { saved: { meta: meta ?? null, cursors: cursors ?? [], conversations, outbox }, rows, from };
  }

  async write(batch: Batch): Promise<void> {
    const transaction = (await this.#database()).transaction(STORES, "readwrite");
    const finished = done(transaction);
    const store = (name: (typeof STORES)[number]) => transaction.objectStore(name);
    for (const save of batch.saves) {
      if (save.meta !== undefined) store("state").put(save.meta, "meta");
      if (save.cursors !== undefined) store("state").put(save.cursors, "cursors");
      for (const each of save.conversations) store("conversations").put(each, each.id);
      for (const each of save.put) store("outbox").put(each, each.client_message_id);
      for (const id of save.drop) store("outbox").delete(id);
    }
    for (const item of batch.items) store("items").put(item, [item.conversation_id, item.seq]);
    for (const change of batch.changes) apply(store("items"), change);
    for (const row of batch.rows) store("rows").put(row, row.row.id);
    for (const id of batch.dropRows) store("rows").delete(id);
    for (const each of batch.from) store("from").put(each, each[0]);
    await finished;
  }

  async items(id: string, range: Range): Promise<StoredItem[]> {
    const { before = Infinity, after = 0, limit } = range;
    const keys = IDBKeyRange.bound([id, after], [id, before], true, true);
    const store = (await this.#database()).transaction("items").objectStore("items");
    if (range.after !== undefined) return answer<StoredItem[]>(store.getAll(keys, limit));
    return new Promise((resolve, reject) => {
      const found: StoredItem[] = [];
      const request = store.openCursor(keys, "prev");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor) found.push(cursor.value);
        if (cursor && found.length < limit) cursor.continue();
        else resolve(found.reverse());
      };
    });
  }

  async clear(): Promise<void> {
    const transaction = (await this.#database()).transaction(STORES, "readwrite");
    for (const store of STORES) transaction.objectStore(store).clear();
    await done(transaction);
  }

  close(): void {
    this.#opened?.then(
      (database) => database.close(),
      () => {},
    );
    this.#opened = null;
  }

  #database(): Promise<IDBDatabase> {
    this.#opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, VERSION);
      request.onupgradeneeded = () => {
        for (const store of STORES) request.result.createObjectStore(store);
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
    });
    return this.#opened;
  }
}

/** Read, change and put within the same transaction: requests of one are done in order. */
function apply(items: IDBObjectStore, change: ChangeEntry): void {
  const key = [change.conversation_id, change.message_seq];
  const request: IDBRequest<StoredItem | undefined> = items.get(key);
  request.onsuccess = () => {
    const item = request.result;
    if (item?.message) items.put({ ...item, message: applyChange(item.message, change) }, key);
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what a database holds has the type that was put there
function answer<T = any>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
