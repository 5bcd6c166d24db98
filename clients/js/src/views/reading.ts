/** How far the own user has read: shown at once, sent once for all of a moment, and taken back where the server refuses it. */

import type { ParleyError } from "../errors.js";
import type { Session } from "../session.js";
import type { InboxItem } from "../types.js";

const DELAY = 150;

type Before = { readSeq: number; row: InboxItem | undefined };

export class Reading {
  /** What was so before the marks that wait for the server. */
  readonly #marked = new Map<string, Before>();

  constructor(private readonly session: Session) {}

  /** Without waiting until the server knows. */
  note(id: string, seq: number): void {
    const { core, runner, isOver } = this.session;
    this.session.checkReady();
    if (isOver || seq <= this.#before(id).readSeq) return;
    this.#show(id, seq);
    core.noteRead(id, seq, runner.now());
    this.session.perform();
  }

  mark(id: string, seq: number): Promise<void> {
    const marked = this.#mark(id, seq);
    marked.catch(() => {}); // who does not wait for it sees that it is taken back
    return marked;
  }

  async #mark(id: string, seq: number): Promise<void> {
    const now = this.#before(id);
    if (seq <= now.readSeq) return;
    const before = this.#marked.get(id) ?? now;
    this.#marked.set(id, before);
    this.#show(id, seq);
    try {
      await this.session.call((at) => this.session.core.mark("read", id, seq, at, DELAY));
      this.#show(id, seq);
    } catch (error) {
      if (!(error as ParleyError).retryable && !this.session.isOver) this.#takeBack(id, before);
      throw error;
    } finally {
      this.#marked.delete(id);
    }
  }

  /** The cursor has moved: here, or on another device. */
  moved(id: string, seq: number): void {
    this.session.rows.read(id, seq);
    this.session.timelines.read(id, seq);
  }

  #show(id: string, seq: number): void {
    this.moved(id, seq);
    this.session.base.topics.flush();
  }

  #before(id: string): Before {
    const { rows, timelines } = this.session;
    const row = rows.row(id);
    return { row, readSeq: Math.max(row?.read_seq ?? 0, timelines.get(id).readSeq) };
  }

  #takeBack(id: string, { readSeq, row }: Before): void {
    const { rows, timelines, base } = this.session;
    if (row !== undefined) rows.unread(id, row, readSeq);
    timelines.unread(id, readSeq);
    base.topics.flush();
    // how much is unread, the server knows better
    void rows.ask(id).then(() => this.moved(id, rows.row(id)?.read_seq ?? 0));
  }
}
