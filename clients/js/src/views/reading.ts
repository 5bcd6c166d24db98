/** How far the own user has read: shown at once, sent once for all of a moment, and taken back where the server refuses it. */

import type { ParleyError } from "../errors.js";
import type { Session } from "../session.js";
import type { InboxItem } from "../types.js";

const DELAY = 150;

type Mark = { seq: number; promise: Promise<void>; send: () => void; timer: ReturnType<typeof setTimeout> };
type Before = { readSeq: number; row: InboxItem | undefined };

export class Reading {
  private readonly marks = new Map<string, Mark>();

  constructor(private readonly session: Session) {}

  mark(id: string, seq: number): Promise<void> {
    const mark = this.marks.get(id);
    if (mark !== undefined) {
      mark.seq = Math.max(mark.seq, seq);
      return mark.promise;
    }
    const { rows, timelines, base } = this.session;
    const row = rows.row(id);
    const readSeq = Math.max(row?.read_seq ?? 0, timelines.get(id).readSeq);
    if (seq <= readSeq) return Promise.resolve();
    this.moved(id, seq);
    base.topics.flush();
    let send = () => {};
    const promise = new Promise<void>((resolve, reject) => {
      send = () => this.send(id, { readSeq, row }).then(resolve, reject);
    });
    promise.catch(() => {}); // who does not wait for it sees that it is taken back
    this.marks.set(id, { seq, promise, send, timer: setTimeout(send, DELAY) });
    return promise;
  }

  /** The cursor has moved: here, or on another device. */
  moved(id: string, seq: number): void {
    this.session.rows.read(id, seq);
    this.session.timelines.read(id, seq);
  }

  /** Send now what waits: it is kept, and sent by the next process where not by this one. */
  flush(): void {
    for (const { timer, send } of [...this.marks.values()]) {
      clearTimeout(timer);
      send();
    }
  }

  private async send(id: string, before: Before): Promise<void> {
    const seq = this.marks.get(id)?.seq ?? 0;
    this.marks.delete(id);
    this.moved(id, seq);
    this.session.base.topics.flush();
    try {
      await this.session.call((now) => this.session.core.mark("read", id, seq, now));
    } catch (error) {
      if (!(error as ParleyError).retryable && !this.session.isOver) this.takeBack(id, before);
      throw error;
    }
  }

  private takeBack(id: string, { readSeq, row }: Before): void {
    const { rows, timelines, base } = this.session;
    if (row !== undefined) rows.unread(id, row, readSeq);
    timelines.unread(id, readSeq);
    base.topics.flush();
    // how much is unread, the server knows better
    void rows.ask(id).then(() => this.moved(id, rows.row(id)?.read_seq ?? 0));
  }
}
