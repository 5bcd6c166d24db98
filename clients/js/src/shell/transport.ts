/** One WebSocket at a time. Nothing of an earlier one comes through. */

import { isObject } from "../core/parsing.js";

type Listener = (event: { data?: unknown; code?: number; reason?: string; message?: string }) => void;
type Socket = {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: Listener): void;
};
/** The browser's, or `ws`'s, whose third argument may have headers. */
export type WebSocketLike = new (
  url: string,
  protocols?: string[],
  // biome-ignore lint/suspicious/noExplicitAny: each has options of its own
  options?: any,
) => unknown;

export type Handlers = {
  open(): void;
  frame(frame: Record<string, unknown>): void;
  /** `status`: of a refused handshake, where that can be seen. */
  lost(reason: string, status?: number): void;
};

/** A handshake that takes longer is given up (ms): the gateway refuses one after 5 seconds. */
const LONGEST_HANDSHAKE = 20_000;

export class Transport {
  #socket: Socket | null = null;

  constructor(private readonly make: WebSocketLike) {}

  open(url: string, headers: Record<string, string>, handlers: Handlers): void {
    this.close();
    const named = Object.keys(headers).length > 0;
    let socket: Socket;
    try {
      socket = (named ? new this.make(url, [], { headers }) : new this.make(url)) as Socket;
    } catch (error) {
      handlers.lost(error instanceof Error ? error.message : "The connection could not be opened");
      return;
    }
    this.#socket = socket;
    let failure = "";
    const current = () => this.#socket === socket;
    const unanswered = setTimeout(() => {
      if (!current()) return;
      this.close();
      handlers.lost("The server does not answer");
    }, LONGEST_HANDSHAKE);
    socket.addEventListener("open", () => {
      clearTimeout(unanswered);
      if (current()) handlers.open();
    });
    socket.addEventListener("error", (event) => {
      failure = typeof event.message === "string" ? event.message : "The connection failed";
    });
    socket.addEventListener("message", (event) => {
      const frame = parsed(event.data);
      if (current() && frame !== null) handlers.frame(frame);
    });
    socket.addEventListener("close", (event) => {
      clearTimeout(unanswered);
      if (!current()) return;
      this.#socket = null;
      const status = /response: (\d{3})/.exec(failure)?.[1];
      const reason = failure || event.reason || `The connection was closed (${event.code ?? 1006})`;
      handlers.lost(reason, status === undefined ? undefined : Number(status));
    });
  }

  send(frame: Record<string, unknown>): void {
    try {
      this.#socket?.send(JSON.stringify(frame));
    } catch {
      // it is closing: its `close` event follows, and what stays unanswered is sent again
    }
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    try {
      socket?.close(1000);
    } catch {
      // it was not open yet
    }
  }
}

function parsed(data: unknown): Record<string, unknown> | null {
  try {
    const frame: unknown = JSON.parse(typeof data === "string" ? data : String(data));
    return isObject(frame) ? frame : null;
  } catch {
    return null;
  }
}
