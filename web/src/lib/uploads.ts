/**
 * Files on their way. Each is kept with its bytes in the browser's database until its message is in the outbox: it waits for a
 * connection, and goes on in the next page where this one is closed. A tab holds a lock for each file that it uploads.
 */
import type { ParleyClient, ParleyError } from "@parley/client";
import { sendSeveral } from "./several";
import { type Media, type NamedBlob, Notes, type Shelf, type Shelved } from "./shelf";
import { previewOf, type Upload } from "./upload-item";
import { locked, Waits } from "./waits";

const LONGEST_PAUSE = 30_000;
/** Not the file's fault: it waits, as for a connection, and goes on in the next session. */
const OF_SESSION = new Set(["unauthenticated", "token_expired", "aborted", "closed", "expired"]);

export class Uploads {
  private readonly all = new Map<string, Upload>();
  private readonly calls = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private shown = new Map<string, readonly Upload[]>();
  private client: ParleyClient | null = null;
  private isOver = false;
  /** For a connection, or for the next try. */
  private readonly waits = new Waits();
  private readonly notes: Notes;

  constructor(
    user: string,
    private readonly shelf: Shelf,
  ) {
    this.notes = new Notes(user);
  }

  /** Goes on with what the page before this one left. */
  async start(client: ParleyClient): Promise<void> {
    this.client = client;
    const found = await this.shelf.all().catch(() => []);
    const notes = this.notes.all().filter((note) => !this.all.has(note.id) && !found.some((one) => one.id === note.id));
    for (const note of notes) this.set({ ...note, state: "failed", problem: { code: "lost", error: note.name } });
    for (const one of found) if (!this.all.has(one.id)) void this.run(one, true);
  }

  stop(): void {
    this.isOver = true;
    for (const call of this.calls.values()) call.abort();
    this.waits.end(); // each lets its lock go: the next session wants it
  }

  /** `more`: other files of the same message. */
  add(
    conversation_id: string,
    blob: Blob,
    name: string,
    caption?: string,
    { more, media }: { more?: readonly NamedBlob[]; media?: Media } = {},
  ): void {
    const id = crypto.randomUUID();
    const said = { ...(caption && { caption }), ...(media && { media }) };
    const note = { id, conversation_id, name, created_at: Date.now(), ...said };
    const one = { ...note, blob, ...(more?.length && { more }) };
    if (!blob.size) {
      this.set({ ...note, state: "failed", problem: { code: "empty", error: name } });
      return;
    }
    this.notes.add(note);
    this.set({ ...one, state: "waiting", ...previewOf(blob) });
    const kept = this.shelf.put(one).then(
      () => this.notes.drop([note.id]),
      () => undefined, // no room for it: it is sent all the same, and missed where the page is closed
    );
    void kept.then(() => this.run(one, false));
  }

  /** Not sent, or not any more. */
  discard(id: string): void {
    this.calls.get(id)?.abort();
    this.remove([id]);
    this.client?.discard(id);
    this.tell();
  }

  get(id: string): Upload | undefined {
    return this.all.get(id);
  }

  /** Those of a conversation; the same array until one of them has changed. */
  of(conversation_id: string): readonly Upload[] {
    const found =
      this.shown.get(conversation_id) ??
      [...this.all.values()].filter((one) => one.conversation_id === conversation_id);
    this.shown.set(conversation_id, found);
    return found;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Their messages are in the outbox, and nothing has gone out yet: from here on they are messages like any other. */
  async arrived(ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.client === null || this.all.has(id));
    if (known.length) await this.remove(known);
  }

  async clear(): Promise<void> {
    this.notes.clear();
    await this.shelf.clear();
  }

  private async run(one: Shelved, isRestored: boolean): Promise<void> {
    await locked(`parley file ${one.id}`, async () => {
      // another tab had it until now
      if (isRestored && !(await this.shelf.has(one.id))) return;
      if (isRestored) this.set({ ...one, state: "waiting", ...previewOf(one.blob) });
      for (let pause = 1_000; this.isWanted(one.id); pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        await this.online();
        if (!this.isWanted(one.id)) return;
        const problem = await this.upload(one);
        if (problem === null || !this.isWanted(one.id)) return;
        if (!this.mayPass(problem)) return this.fail(one, problem);
        this.client?.discard(one.id); // the client's own row: it waits in this one's
        this.set({ ...(this.all.get(one.id) as Upload), state: "waiting" });
        await this.waits.until((wake) => {
          const timer = setTimeout(wake, pause);
          return () => clearTimeout(timer);
        });
      }
    });
  }

  /** Null where it is done with: stored, or a message that has gone its own way. */
  private async upload(one: Shelved): Promise<ParleyError | null> {
    const { id, conversation_id, blob, name, caption, media } = one;
    const { client } = this;
    const call = new AbortController();
    this.calls.set(id, call);
    this.set({ ...(this.all.get(id) as Upload), state: "running" });
    const more = { name, client_message_id: id, signal: call.signal, ...(caption && { caption }), ...media };
    const tell = (done: number) => {
      const now = this.all.get(id);
      if (now) this.set({ ...now, done });
    };
    try {
      if (client && one.more) await sendSeveral(client, one, { signal: call.signal, onProgress: tell });
      else await client?.sendFile({ conversation_id }, blob, more).stored;
      return null;
    } catch (error) {
      return error as ParleyError;
    } finally {
      this.calls.delete(id);
    }
  }

  private fail({ id }: Shelved, { code, reason }: ParleyError): void {
    this.client?.discard(id);
    const { blob: _, ...left } = this.all.get(id) as Upload;
    void this.shelf.drop([id]).catch(() => undefined);
    this.notes.drop([id]);
    this.set({ ...left, state: "failed", problem: { code, error: reason } });
  }

  private mayPass({ code, retryable }: ParleyError): boolean {
    return retryable || OF_SESSION.has(code) || this.client?.connection().state === "ended";
  }

  private isWanted(id: string): boolean {
    return !this.isOver && this.all.has(id);
  }

  private async online(): Promise<void> {
    const { client } = this;
    await this.waits.until((wake) => {
      const look = () => client?.connection().state === "online" && wake();
      queueMicrotask(look);
      return client?.subscribe("connection", look);
    });
  }

  private async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const url = this.all.get(id)?.previewUrl;
      if (url) URL.revokeObjectURL(url);
      this.all.delete(id);
    }
    this.notes.drop(ids);
    this.tell();
    await this.shelf.drop(ids).catch(() => undefined);
  }

  private set(upload: Upload): void {
    this.all.set(upload.id, upload);
    this.tell();
  }

  private tell(): void {
    this.shown = new Map();
    for (const listener of this.listeners) listener();
  }
}
