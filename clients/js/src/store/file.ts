/** Keeps everything in one file, for a bot or a service in Node: what was not sent goes out after a restart, and nothing is told twice. */

import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { MemoryStore } from "./memory.js";
import { type Batch, emptyBatch, type Loaded, type Range, type Store, type StoredItem } from "./store.js";

const KEPT = 1_000; // items of a conversation that a start takes along
const LARGEST = 1 << 20; // so much may be appended before the file is written anew

/** A file of one user of one deployment; next to it there are `.lock` and, at times, `.new`. Close the store when the client is closed. */
export function fileStore(path: string): Store {
  return new FileStore(resolve(path));
}

/** Of one process's own: its `.lock` may be left of another one with the same number. */
const held = new Set<string>();
/** One thing at a time is done with a file: who opens it waits for who closes it. */
const turns = new Map<string, Promise<unknown>>();

/**
 * A line for each batch, appended and flushed before anything of it is told. The first is all there was when the file was written
 * anew, next to the old one and then in its place. A line that was cut by a crash was not told, and is left out.
 */
class FileStore implements Store {
  private state = new State();
  private file: FileHandle | null = null;
  private locked = false;
  private appended = 0;

  constructor(private readonly path: string) {}

  load(): Promise<Loaded> {
    return this.inTurn(async () => {
      await this.open();
      return this.state.load();
    });
  }

  write(batch: Batch): Promise<void> {
    return this.inTurn(async () => {
      const line = lineOf(batch);
      const { file } = this;
      if (file === null) throw new Error("The store is closed");
      await file.appendFile(line);
      await file.datasync();
      this.state.write(batch);
      this.appended += line.length;
      if (this.appended > LARGEST) await this.rewrite();
    });
  }

  items(id: string, range: Range): Promise<StoredItem[]> {
    return this.inTurn(() => this.state.items(id, range));
  }

  clear(): Promise<void> {
    return this.inTurn(async () => {
      const wasOpen = this.file !== null;
      await this.open();
      await this.state.clear();
      await this.rewrite();
      if (!wasOpen) await this.leave();
    });
  }

  close(): void {
    void this.inTurn(() => this.leave());
  }

  /** Reads the file, and writes it anew. What this object had of it before is forgotten. */
  private async open(): Promise<void> {
    await this.leave();
    await lock(this.path);
    this.locked = true;
    try {
      const lines = (await textOf(this.path)).split("\n");
      lines.pop(); // nothing, or what a crash has cut
      this.state = new State();
      for (const line of lines) this.state.write(JSON.parse(line));
      this.state.trim();
      await this.rewrite();
    } catch (error) {
      await this.leave();
      throw error;
    }
  }

  private async rewrite(): Promise<void> {
    const file = await open(`${this.path}.new`, "w", 0o600);
    await this.file?.close();
    this.file = file;
    await file.appendFile(lineOf(this.state.all()));
    await file.datasync();
    await rename(`${this.path}.new`, this.path);
    this.appended = 0;
  }

  private async leave(): Promise<void> {
    const { file, locked } = this;
    this.file = null;
    this.locked = false;
    await file?.close();
    if (!locked) return;
    held.delete(this.path);
    await rm(`${this.path}.lock`, { force: true });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = (turns.get(this.path) ?? Promise.resolve()).then(work);
    turns.set(
      this.path,
      done.catch(() => {}),
    );
    return done;
  }
}

class State extends MemoryStore {
  /** Everything, as one batch. */
  all(): Batch {
    const { meta, cursors } = this;
    const lists = { conversations: [...this.conversations.values()], put: [...this.outbox.values()], drop: [] };
    return {
      ...emptyBatch(),
      saves: [{ ...(meta === null ? {} : { meta }), cursors, ...lists }],
      items: [...this.logs.values()].flatMap((log) => [...log.values()]),
      rows: [...this.rows.values()],
      from: [...this.from],
    };
  }

  /** What lies farther back is on the server. */
  trim(): void {
    for (const [id, log] of this.logs) {
      const seqs = [...log.keys()].sort((a, b) => a - b);
      for (const seq of seqs.slice(0, -KEPT)) log.delete(seq);
      const from = this.from.get(id);
      const first = seqs.at(-KEPT);
      if (from !== undefined && first !== undefined) this.from.set(id, Math.max(from, first));
    }
  }
}

function lineOf(batch: Batch): string {
  return `${JSON.stringify(batch)}\n`;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** One process at a time, and one store of it. */
async function lock(path: string): Promise<void> {
  if (held.has(path)) throw new Error(`${path} is in use by another store of this process: close it first`);
  for (;;) {
    try {
      const file = await open(`${path}.lock`, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      held.add(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(await textOf(`${path}.lock`));
    if (owner !== process.pid && lives(owner)) throw new Error(`${path} is in use by process ${owner}`);
    await rm(`${path}.lock`, { force: true }); // that one is gone, without a word
  }
}

function lives(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
