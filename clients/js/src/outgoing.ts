/** What is on its way out: messages, and files that are uploaded before they are sent. */

import type { Body } from "./core/effects.js";
import { given } from "./core/given.js";
import { asFailed, type Pending } from "./core/outbox.js";
import { ParleyError } from "./errors.js";
import type { Session } from "./session.js";
import { follow } from "./shell/deadline.js";
import type {
  Ack,
  Failed,
  FileOut,
  Message,
  Sending,
  SendMore,
  UploadOptions,
  UploadProgress,
  Where,
} from "./types.js";
import { guarded } from "./views/guarded.js";

export type SendFileOptions = UploadOptions & { caption?: string } & SendMore;
/** A file that has no message yet. `found`: it is uploaded. */
type Attachment = {
  id: string;
  where: Where;
  blob: Blob;
  options: SendFileOptions;
  message: Message;
  progress: UploadProgress;
  stop: AbortController;
  failed: boolean;
  found?: FileOut;
};

export class Outgoing {
  readonly #files = new Map<string, Attachment>();

  constructor(private readonly session: Session) {}

  send(where: Where, content: string | null, more: SendMore): Sending {
    const { session } = this;
    session.checkReady();
    const { client_message_id, ...rest } = more;
    const body = bodyOf(content, rest);
    return this.#sending(session.core.send(where, body, session.runner.now(), Date.now(), client_message_id));
  }

  /** A message that was refused, or a file that could not be uploaded, once more. */
  resend(id: string): Sending {
    this.session.checkReady();
    const file = this.#files.get(id);
    if (file?.failed) return this.#attempt(file);
    return this.#sending(this.session.core.resend(id, this.session.runner.now()));
  }

  /** Let a message that was refused, or a file that is not sent yet, go. */
  discard(id: string): void {
    const { core, timelines, base } = this.session;
    const file = this.#files.get(id);
    const item = core.unacked.find((each) => each.client_message_id === id);
    if (file === undefined && item?.error === undefined) return;
    this.#files.delete(id);
    file?.stop.abort();
    this.#forgetPreview(id);
    core.discard(id);
    timelines.touch(file?.message.conversation_id ?? item?.conversation_id ?? null);
    base.topics.flush();
    this.session.perform();
  }

  /** It is in the timeline at once, with how far it is uploaded; then it is a message like any other. */
  sendFile(where: Where, file: Blob | Uint8Array, options: SendFileOptions): Sending {
    const { base, core } = this.session;
    this.session.checkReady();
    const { caption, name, content_type, kind, client_message_id: id = base.newId() } = options;
    if (this.#files.has(id)) throw new ParleyError("conflict", "This client_message_id is on its way already");
    const blob = file instanceof Blob ? file : new Blob([file as Uint8Array<ArrayBuffer>]);
    const contentType = content_type ?? blob.type;
    const isImage = kind !== "file" && contentType.startsWith("image/");
    const previewUrl = isImage && typeof document !== "undefined" ? URL.createObjectURL(blob) : undefined;
    const message: Message = {
      id: "",
      conversation_id: ("to" in where ? core.privateWith(where.to) : where.conversation_id) ?? "",
      seq: 0,
      sender_id: core.userId ?? "",
      content: caption ?? "",
      type: isImage ? "image" : "file",
      created_at: Date.now(),
      client_message_id: id,
    };
    const progress = { done: 0, total: blob.size, name, contentType, ...given({ previewUrl }) };
    const stop = new AbortController();
    return this.#attempt({ id, where, blob, options, message, progress, stop, failed: false });
  }

  /** No file is sent any more. */
  stop(): void {
    for (const file of this.#files.values()) file.stop.abort();
    this.#files.clear();
    for (const id of [...this.session.timelines.uploads.keys()]) this.#forgetPreview(id);
  }

  #attempt(file: Attachment): Sending {
    file.failed = false;
    file.stop = new AbortController();
    this.#files.set(file.id, file);
    this.#show(file, 0);
    const stored = this.#uploaded(file);
    stored.catch(() => {}); // who does not wait for it sees it in the timeline
    return { client_message_id: file.id, stored };
  }

  async #uploaded(file: Attachment): Promise<Ack> {
    const { id, options, where } = file;
    let sending: Sending;
    try {
      file.found ??= await this.#upload(file);
      if (this.#files.get(id) !== file) throw new ParleyError("aborted", "The file was let go");
      const { reply_to, mentions, forward_of } = options;
      const more = { reply_to, mentions, forward_of, file_id: file.found.file_id, message_type: file.found.kind };
      sending = this.send(where, options.caption ?? "", { ...given(more), client_message_id: id });
    } catch (error) {
      if (this.#files.get(id) === file) this.#failed(file, error);
      throw error;
    }
    this.#files.delete(id);
    if (file.progress.previewUrl === undefined) this.session.timelines.uploads.delete(id);
    return sending.stored;
  }

  async #upload(file: Attachment): Promise<FileOut> {
    const { name, content_type, kind, duration_ms, waveform, onProgress, signal } = file.options;
    const told = (done: number, total: number) => {
      if (this.#files.get(file.id) === file) this.#show(file, done);
      guarded(() => onProgress?.(done, total));
    };
    const unfollow = follow(signal, file.stop);
    try {
      const more = given({ content_type, kind, duration_ms, waveform });
      const options = { ...more, name, onProgress: told, signal: file.stop.signal };
      return await this.session.base.files.upload(file.blob, options);
    } finally {
      unfollow();
    }
  }

  #failed(file: Attachment, error: unknown): void {
    file.failed = true;
    this.#show(file, file.progress.done, asFailed(ParleyError.of(error)));
  }

  #show(file: Attachment, done: number, error?: Failed): void {
    const { timelines, base } = this.session;
    file.progress = { ...file.progress, done };
    const { message, progress } = file;
    timelines.uploads.set(file.id, { message, progress, ...given({ error }) });
    timelines.touch(message.conversation_id);
    base.topics.flush();
  }

  #forgetPreview(id: string): void {
    const { uploads } = this.session.timelines;
    const previewUrl = uploads.get(id)?.progress.previewUrl;
    if (previewUrl !== undefined) URL.revokeObjectURL(previewUrl);
    uploads.delete(id);
  }

  #sending({ call, item }: { call: number; item: Pending }): Sending {
    const { session } = this;
    const stored = session.call<Ack>(() => call);
    stored.catch(() => {}); // who does not wait for it sees it in the timeline
    const { client_message_id, conversation_id } = item;
    if (conversation_id !== null && !(session.timelines.peek(conversation_id)?.atTail ?? true)) {
      void session.timelines.jumpToLatest(conversation_id).catch(() => {});
    }
    session.timelines.touch(conversation_id);
    if (conversation_id !== null) session.timelines.get(conversation_id); // in sight from here on
    session.base.topics.flush();
    return { client_message_id, stored };
  }
}

/** Throws for what is no message. */
function bodyOf(content: string | null, more: Omit<SendMore, "client_message_id">): Body {
  const { mentions, message_type = "text", forward_of, ...rest } = more;
  if ((content === null && !rest.file_id && !rest.attachments?.length) !== !!forward_of) {
    throw new ParleyError("bad_request", "A message has words, a file, or forwards another");
  }
  return {
    ...(forward_of ? { forward_of } : { content: content ?? "", message_type }),
    ...given({ ...rest, mentions: mentions?.length ? [...new Set(mentions)] : undefined }),
  };
}
