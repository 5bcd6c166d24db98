/** What a client has over its ends and starts: what it was made with, who listens, and what needs no core. */

import { DEFAULTS, type Settings } from "./core/settings.js";
import { type Api, makeApi } from "./http.js";
import { Files } from "./shell/files.js";
import { type Token, Tokens } from "./shell/tokens.js";
import type { WebSocketLike } from "./shell/transport.js";
import { memoryStore } from "./store/memory.js";
import type { Store } from "./store/store.js";
import type { ClientEvents, ConnectionState, Notification } from "./types.js";
import { guarded } from "./views/guarded.js";
import { Presence, Typing } from "./views/people.js";
import { Topics } from "./views/topics.js";

export type ClientOptions = {
  /** wss://…/prod */
  url: string;
  httpUrl: string;
  /** A function is asked before each connect and a minute before the end of the one before. */
  token: Token;
  /** `memoryStore()` by default. */
  store?: Store;
  /** By default where no `WebSocket` but the browser's is there: its handshake carries no headers. */
  byTicket?: boolean;
  /** For Node 20, which has none: the one of the package `ws`. */
  WebSocket?: WebSocketLike;
  fetch?: typeof fetch;
  deviceId?: string;
  settings?: Partial<Settings>;
  random?: () => number;
  newId?: () => string;
};

export class Base {
  readonly topics = new Topics();
  readonly typists = new Typing(this.topics);
  readonly people = new Presence(this.topics);
  readonly store: Store;
  readonly settings: Settings;
  readonly tokens: Tokens;
  readonly api: Api;
  readonly files: Files;
  readonly WebSocket: WebSocketLike;
  readonly byTicket: boolean;
  state: ConnectionState = { state: "offline" };
  told: readonly Notification[] = [];
  watched: readonly string[] = [];
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  constructor(readonly options: ClientOptions) {
    const own = globalThis.WebSocket as WebSocketLike | undefined;
    const socket = options.WebSocket ?? own;
    if (socket === undefined) throw new TypeError("There is no WebSocket here: pass one, as of ws");
    this.WebSocket = socket;
    this.byTicket = options.byTicket ?? socket === own;
    this.settings = { ...DEFAULTS, ...options.settings };
    const fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
    const longest = this.settings.answerTimeout;
    this.store = options.store ?? memoryStore();
    this.tokens = new Tokens(options.token, longest);
    this.api = makeApi({
      url: options.httpUrl,
      fetch,
      longest,
      token: async (fresh) => {
        if (fresh && !this.tokens.renews) return undefined;
        return fresh ? this.tokens.fresh() : this.tokens.get();
      },
    });
    this.files = new Files(this.api, fetch);
  }

  newId(): string {
    return this.options.newId?.() ?? crypto.randomUUID();
  }

  show(state: ConnectionState): void {
    this.state = state;
    this.topics.touch("connection");
  }

  on<E extends keyof ClientEvents>(type: E, listener: (event: ClientEvents[E]) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Whether somebody listens. */
  hears(type: keyof ClientEvents): boolean {
    return !!this.#listeners.get(type)?.size;
  }

  tell<E extends keyof ClientEvents>(type: E, event: ClientEvents[E]): void {
    const listeners = [...(this.#listeners.get(type) ?? [])] as ((event: ClientEvents[E]) => void)[];
    for (const listener of listeners) guarded(() => listener(event));
  }
}
