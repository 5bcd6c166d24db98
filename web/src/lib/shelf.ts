/** Where files lie with their bytes until they are sent: a database of the browser's, of one user of one stack. */
import { keep, keptIn } from "./kept";

export interface Shelved {
  /** The id of the message that it will be. */
  id: string;
  conversation_id: string;
  name: string;
  caption?: string;
  created_at: number;
  blob: Blob;
  /** Others that go with it, in the one message. */
  more?: readonly NamedBlob[];
  /** What a sound or a film is like. */
  media?: Media;
}

export type NamedBlob = { name: string; blob: Blob };
export type Media = { kind?: "audio" | "video"; duration_ms?: number; waveform?: number[] };
/** What can be told of it without its bytes. */
export type Noted = Omit<Shelved, "blob" | "more">;

export interface Shelf {
  all(): Promise<Shelved[]>;
  has(id: string): Promise<boolean>;
  put(one: Shelved): Promise<void>;
  drop(ids: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

const STORE = "files";

export function indexedDBShelf(name: string): Shelf {
  let opened: Promise<IDBDatabase> | null = null;
  const open = () => {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  };
  /** One transaction; resolves with what it asked for when all of it is kept. */
  const within = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T> | undefined) => {
    const transaction = (await open()).transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    return new Promise<T>((resolve, reject) => {
      transaction.oncomplete = () => resolve(request?.result as T);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  };
  return {
    all: async () => {
      const found = await within<Shelved[]>("readonly", (store) => store.getAll());
      return found.sort((a, b) => a.created_at - b.created_at);
    },
    has: async (id) => (await within("readonly", (store) => store.count(id))) > 0,
    put: async (one) => void (await within("readwrite", (store) => store.put(one))),
    drop: async (ids) => {
      await within("readwrite", (store) => {
        for (const id of ids) store.delete(id);
        return undefined;
      });
    },
    clear: async () => void (await within("readwrite", (store) => store.clear())),
  };
}

/** Which files were chosen and are not on the shelf yet: a page that is left at this moment has to say so in the next. */
export class Notes {
  private readonly name: string;

  constructor(user: string) {
    this.name = `parley.files ${user}`;
  }

  all(): Noted[] {
    return keptIn<Noted[]>(this.name) ?? [];
  }

  add(note: Noted): void {
    keep(this.name, [...this.all(), note]);
  }

  drop(ids: readonly string[]): void {
    const left = this.all().filter((note) => !ids.includes(note.id));
    keep(this.name, left.length ? left : null);
  }

  clear(): void {
    keep(this.name, null);
  }
}
