/** Keeps everything in this process: what a page shows is gone with it. */

import type { SavedConversation, SavedCursor, SavedMessage, SavedMeta } from "../core/effects.js";
import { applyChange } from "../views/messages.js";
import type { Batch, Loaded, Range, Store, StoredItem, StoredRow } from "./store.js";

export class MemoryStore implements Store {
  protected meta: SavedMeta | null = null;
  protected cursors: SavedCursor[] = [];
  protected readonly conversations = new Map<string, SavedConversation>();
  protected readonly outbox = new Map<string, SavedMessage>();
  protected readonly rows = new Map<string, StoredRow>();
  protected readonly from = new Map<string, number>();
  protected readonly logs = new Map<string, Map<number, StoredItem>>();

  async load(): Promise<Loaded> {
    const { meta, cursors, conversations, outbox } = this;
    const saved = { meta, cursors, conversations: [...conversations.values()], outbox: [...outbox.values()] };
    return structuredClone({ saved, rows: [...this.rows.values()], from: [...this.from] });
  }

  write(batch: Batch): void {
    for (const save of batch.saves) {
      this.meta = save.meta ?? this.meta;
      this.cursors = save.cursors ?? this.cursors;
      for (const each of save.conversations) this.conversations.set(each.id, each);
      for (const each of save.put) this.outbox.set(each.client_message_id, structuredClone(each));
      for (const id of save.drop) this.outbox.delete(id);
    }
    for (const item of batch.items) this.#log(item.conversation_id).set(item.seq, item);
    for (const change of batch.changes) {
      const log = this.#log(change.conversation_id);
      const item = log.get(change.message_seq);
      if (item?.message) log.set(item.seq, { ...item, message: applyChange(item.message, change) });
    }
    for (const row of batch.rows) this.rows.set(row.row.id, row);
    for (const id of batch.dropRows) this.rows.delete(id);
    for (const [id, seq] of batch.from) this.from.set(id, seq);
  }

  async items(id: string, range: Range): Promise<StoredItem[]> {
    const { before = Infinity, after = 0, limit } = range;
    const found = [...this.#log(id).values()].filter((item) => item.seq < before && item.seq > after);
    found.sort((a, b) => a.seq - b.seq);
    return range.after === undefined ? found.slice(-limit) : found.slice(0, limit);
  }

  async clear(): Promise<void> {
    this.meta = null;
    this.cursors = [];
    for (const each of [this.conversations, this.outbox, this.rows, this.from, this.logs]) each.clear();
  }

  close(): void {}

  #log(id: string): Map<number, StoredItem> {
    let log = this.logs.get(id);
    if (log === undefined) {
      log = new Map();
      this.logs.set(id, log);
    }
    return log;
  }
}

export function memoryStore(): Store {
  return new MemoryStore();
}
