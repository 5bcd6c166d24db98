/** A scripted server on loopback: enough of Parley to hold a client to what it says over the wire and over HTTP. */

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

type Frame = Record<string, unknown>;
type Answer = { status: number; body?: unknown };
type Route = (request: { path: string; query: URLSearchParams; body: unknown; token: string }) => Answer;
type Log = { entries: Frame[]; members: string[] };

export function token(user: string, left = 3_600): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: user, exp: Math.floor(Date.now() / 1_000) + left })}.x`;
}

export class FakeServer {
  readonly logs = new Map<string, Log>();
  readonly frames: Frame[] = [];
  readonly requests: string[] = [];
  readonly routes = new Map<string, Route>();
  /** A frame of this type gets no answer, or another one. */
  onFrame: (frame: Frame, user: string) => Frame | null | undefined = () => undefined;
  sockets: { socket: WebSocket; user: string }[] = [];
  notifications: unknown[] = [];
  /** What a row of the inbox says. */
  unread = 0;
  private readonly http: Server;
  private readonly wss: WebSocketServer;

  private constructor() {
    this.http = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      request.on("end", () => {
        const { status, body } = this.answer(request, text);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      });
    });
    this.wss = new WebSocketServer({ server: this.http });
    this.wss.on("connection", (socket, request) => this.connected(socket, request));
  }

  static async start(): Promise<FakeServer> {
    const server = new FakeServer();
    await new Promise<void>((resolve) => server.http.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get urls() {
    return { url: `ws://127.0.0.1:${this.port}/`, httpUrl: `http://127.0.0.1:${this.port}` };
  }

  async stop(): Promise<void> {
    for (const { socket } of this.sockets) socket.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  /** Put an entry into a log and tell whoever is there. */
  write(id: string, entry: Frame, members: string[], except?: WebSocket): number {
    const log = this.logs.get(id) ?? { entries: [], members };
    this.logs.set(id, log);
    const seq = log.entries.length + 1;
    const full: Frame = { ...entry, conversation_id: id, seq };
    if (entry.type === "new_message") {
      full.message = { ...(entry.message as Frame), id: `${id}/${seq}`, conversation_id: id, seq };
    }
    log.entries.push(full);
    for (const { socket, user } of this.sockets) {
      if (socket !== except && log.members.includes(user)) socket.send(JSON.stringify(full));
    }
    return seq;
  }

  say(id: string, sender_id: string, content: string, members: string[]): number {
    const message = { sender_id, content, type: "text", created_at: Date.now() };
    return this.write(id, { type: "new_message", message }, members);
  }

  post(user: string, event: Frame): void {
    for (const each of this.sockets) if (each.user === user) each.socket.send(JSON.stringify(event));
  }

  drop(): void {
    for (const { socket } of this.sockets.splice(0)) socket.terminate();
  }

  private connected(socket: WebSocket, request: IncomingMessage): void {
    const bearer = request.headers.authorization?.slice("Bearer ".length);
    const ticket = new URL(request.url ?? "/", "http://x").searchParams.get("ticket");
    const user = bearer === undefined ? String(ticket) : userOf(bearer);
    this.sockets.push({ socket, user });
    socket.on("close", () => {
      this.sockets = this.sockets.filter((each) => each.socket !== socket);
    });
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      this.frames.push(frame);
      const given = this.onFrame(frame, user);
      const reply = given === undefined ? this.reply(frame, user, socket) : given;
      if (reply !== null) socket.send(JSON.stringify({ ...reply, id: frame.id }));
    });
  }

  private reply(frame: Frame, user: string, socket: WebSocket): Frame {
    const data = { ...frame, id: undefined };
    if (frame.type === "sync") return { success: true, data: this.sync(frame, user) };
    if (frame.type === "ping") return { success: true, data: { type: "pong", timestamp: Date.now(), behind: false } };
    if (frame.type === "presence") {
      const users = (frame.users as string[]).map((user_id) => ({ user_id, status: "offline", last_seen: null }));
      return { success: true, data: { type: "presence", users } };
    }
    if (frame.type === "message") return { success: true, data: this.store(frame, user, socket) };
    if (["edit", "delete", "react"].includes(String(frame.type))) {
      return { success: true, data: this.change(frame, user, socket) };
    }
    return { success: true, data };
  }

  private store(frame: Frame, user: string, socket: WebSocket): Frame {
    const id =
      frame.to === undefined ? String(frame.conversation_id) : `dm:${[user, String(frame.to)].sort().join(":")}`;
    const { client_message_id } = frame;
    const found = this.logs
      .get(id)
      ?.entries.find((entry) => (entry.message as Frame | undefined)?.client_message_id === client_message_id);
    const named = Object.fromEntries(
      ["reply_to", "mentions", "file_id", "data", "attachments"].flatMap((name) =>
        frame[name] === undefined ? [] : [[name, frame[name]]],
      ),
    );
    const message = {
      sender_id: user,
      content: frame.content,
      type: frame.message_type ?? "text",
      created_at: Date.now(),
      client_message_id,
      ...named,
    };
    const members = id.startsWith("dm:") ? id.split(":").slice(1) : [user];
    const seq = found === undefined ? this.write(id, { type: "new_message", message }, members, socket) : found.seq;
    const ids = { conversation_id: id, seq, message_id: `${id}/${seq}`, client_message_id };
    return { type: "message", ...ids, timestamp: Date.now(), duplicate: found !== undefined };
  }

  private change(frame: Frame, user: string, socket: WebSocket): Frame {
    const { type, conversation_id, seq, content, data, emoji, remove = false } = frame;
    const kind = { edit: "message_edited", delete: "message_deleted", react: "reaction" }[String(type)];
    const timestamp = Date.now();
    const fields =
      type === "edit"
        ? { content, ...(data === undefined ? {} : { data }) }
        : type === "react"
          ? { emoji, removed: remove }
          : {};
    const about = { message_seq: seq, message_id: `${conversation_id}/${seq}`, user_id: user, timestamp };
    const members = this.logs.get(String(conversation_id))?.members ?? [];
    const entry_seq = this.write(String(conversation_id), { type: kind, ...about, ...fields }, members, socket);
    return {
      type,
      conversation_id,
      seq,
      entry_seq,
      timestamp,
      ...(type === "react" ? { emoji, removed: remove } : {}),
    };
  }

  private sync(frame: Frame, user: string): Frame {
    const asked = frame.conversations as Record<string, number>;
    const conversations = [...this.logs]
      .filter(([, log]) => log.members.includes(user))
      .map(([id, { entries }]) => ({
        id,
        head: entries.length,
        entries: id in asked ? entries.slice(asked[id]) : [],
        has_more: false,
        read_seq: 0,
        unread: 0,
        joined_seq: id.startsWith("group:") ? 1 : 0,
      }));
    return { type: "sync", conversations, has_more: false };
  }

  private answer(request: IncomingMessage, text: string): Answer {
    const url = new URL(request.url ?? "/", "http://x");
    const path = decodeURIComponent(url.pathname);
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    this.requests.push(`${request.method} ${path}`);
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      // a form
    }
    const own = this.routes.get(`${request.method} ${path}`);
    if (own !== undefined) return own({ path, query: url.searchParams, body, token });
    return this.usual(`${request.method} ${path}`, url.searchParams, userOf(token));
  }

  private usual(what: string, query: URLSearchParams, user: string): Answer {
    if (what === "POST /v1/tickets") return { status: 200, body: { ticket: user, expires_in: 30 } };
    if (what === "GET /v1/notifications") return { status: 200, body: { notifications: this.notifications } };
    if (what === "GET /v1/conversations") {
      const mine = [...this.logs.keys()].filter((id) => this.logs.get(id)?.members.includes(user));
      return { status: 200, body: { conversations: mine.map((id) => this.row(id)), next_cursor: null } };
    }
    const [, id, rest] = /^GET \/v1\/conversations\/([^/]+)(?:\/(\w+))?$/.exec(what) ?? [];
    const log = id === undefined ? undefined : this.logs.get(id);
    if (id === undefined || log === undefined) {
      return { status: 404, body: { error: "There is no such thing", code: "not_found", retryable: false } };
    }
    if (rest === undefined) return { status: 200, body: this.row(id) };
    if (rest === "members") {
      const members = log.members.map((user_id) => ({
        user_id,
        role: "member",
        joined_at: 0,
        read_seq: 0,
        delivered_seq: 0,
      }));
      return { status: 200, body: { members } };
    }
    const messages = log.entries.flatMap((entry) => (entry.type === "new_message" ? [entry.message as Frame] : []));
    const limit = Number(query.get("limit") ?? 50);
    const before = Number(query.get("before") ?? Number.MAX_SAFE_INTEGER);
    const after = query.get("after");
    if (after !== null) {
      const found = messages.filter((message) => Number(message.seq) > Number(after));
      return { status: 200, body: { messages: found.slice(0, limit), has_more: found.length > limit } };
    }
    const found = messages.filter((message) => Number(message.seq) < before).reverse();
    return { status: 200, body: { messages: found.slice(0, limit), has_more: found.length > limit } };
  }

  private row(id: string): Frame {
    const { entries = [], members = [] } = this.logs.get(id) ?? {};
    const last = entries.findLast((entry) => entry.type === "new_message");
    return {
      id,
      type: id.startsWith("dm:") ? "private" : "group",
      name: null,
      head: entries.length,
      last_message: last?.message ?? null,
      unread: this.unread,
      read_seq: 0,
      delivered_seq: 0,
      joined_seq: 0,
      members,
      member_count: members.length,
      role: null,
      muted_until: null,
      notify: "all",
      pinned: false,
      archived: false,
    };
  }
}

function userOf(token: string): string {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).sub;
  } catch {
    return "";
  }
}

/** Wait until it is so. */
export async function until<T>(look: () => T | undefined | false | null, what = "it"): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
