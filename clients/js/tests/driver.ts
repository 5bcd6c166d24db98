/** Runs a scenario of clients/vectors against the core, in virtual time: clients/vectors/README.md has the format. */

import type { Core } from "../src/core/core.js";
import type { CoreEvent, Effect } from "../src/core/effects.js";
import type { CoreOptions } from "../src/core/settings.js";
import type { ParleyError } from "../src/errors.js";
import type { MemoryStore } from "../src/store/memory.js";
import { emptyBatch } from "../src/store/store.js";
import type { Entry, PinnedMessage } from "../src/types.js";
import type { pinsAfter } from "../src/views/pins.js";

type Json = Record<string, unknown>;
export type Step = Json;
export type Scenario = { name: string; about: string; may_send?: string[]; steps: Step[] };
/** The client's own modules, so that a changed copy of them can be driven, too. */
export type Client = {
  Core: new (options: CoreOptions) => Core;
  ParleyError: new (code: string, reason: string, retryable?: boolean) => ParleyError;
  MemoryStore: new () => MemoryStore;
  pinsAfter: typeof pinsAfter;
};

const STATES = { idle: "offline", waiting: "offline", connecting: "connecting", online: "online", stopped: "ended" };

export async function run(client: Client, scenario: Scenario): Promise<void> {
  const driver = new Driver(client);
  for (const [index, step] of scenario.steps.entries()) {
    try {
      await driver.step(step);
    } catch (error) {
      throw new Error(`${scenario.name}, step ${index + 1} ${JSON.stringify(step)}: ${(error as Error).message}`);
    }
  }
  driver.finish(scenario.may_send ?? []);
}

class Driver {
  private core: Core;
  private readonly store: MemoryStore;
  private now = 0;
  private ids = 0;
  private wire: Json[] = [];
  private seen: Json[] = [];
  private wantsConnection = false;
  private wantsToken = false;
  private readonly named = new Map<string, unknown>();
  private readonly calls = new Map<string, number>();
  private readonly results = new Map<number, { value?: unknown; error?: ParleyError }>();
  private listed: unknown[] = [];
  private readonly presences = new Map<string, string>();
  /** With the rows of the inbox: kept in one with what is told. */
  private readonly pins = new Map<string, readonly PinnedMessage[]>();
  private processes = 0;
  private ticks = 0;
  private refusals = 0;

  constructor(private readonly client: Client) {
    this.store = new client.MemoryStore();
    this.core = new client.Core({
      newId: () => `own-${++this.ids}`,
      random: () => 0.5,
      userId: "alice",
      overHttp: true,
    });
    this.core.start();
    this.perform();
  }

  async step(step: Step): Promise<void> {
    const verb = Object.keys(step)[0] as string;
    const how = (this as unknown as Record<string, ((step: Step) => void | Promise<void>) | undefined>)[`do_${verb}`];
    check(how !== undefined, "there is no such step");
    await how?.call(this, step);
  }

  finish(may: string[]): void {
    const left = this.wire.filter((frame) => frame.type !== "ping" && !may.includes(String(frame.type)));
    check(left.length === 0, `sent, and not asked for: ${JSON.stringify(left)}`);
    check(this.seen.length === 0, `told, and not asked for: ${JSON.stringify(this.seen)}`);
  }

  protected do_connect(step: Step): void {
    const how = step.connect as { fails?: boolean; token_left_s?: number; renews?: boolean };
    this.until(() => this.wantsConnection, Number(step.within_s ?? 60), "a connection");
    this.wantsConnection = false;
    if (how.fails) this.core.lost(this.now, "It failed");
    else if (how.token_left_s === undefined) this.core.connected(this.now);
    else this.core.connected(this.now, { left: how.token_left_s * 1_000, renews: how.renews ?? true });
    this.perform();
  }

  protected do_no_connect(step: Step): void {
    this.advance(Number(step.for_s ?? 0));
    check(!this.wantsConnection, "it asks for a connection");
  }

  protected do_loses(): void {
    this.wire = [];
    this.core.lost(this.now, "The network failed");
    this.perform();
  }

  protected async do_reload(): Promise<void> {
    this.wire = [];
    this.wantsConnection = this.wantsToken = false;
    this.calls.clear();
    const { saved } = await this.store.load();
    const options = { newId: () => `own-${++this.ids}`, random: () => 0.5, userId: "alice", overHttp: true, saved };
    this.core = new this.client.Core(options);
    this.processes++;
    this.core.start();
    this.perform();
  }

  protected do_sends(step: Step): void {
    const pattern = step.sends as Json;
    const find = () => this.wire.findIndex((frame) => frame.type === pattern.type);
    this.until(() => find() >= 0, Number(step.within_s ?? 1), `a frame ${pattern.type}`);
    const [frame] = this.wire.splice(find(), 1) as [Json];
    match(frame, pattern, "frame");
    for (const absent of (step.without as string[] | undefined) ?? []) check(!(absent in frame), `has ${absent}`);
    if (step.as !== undefined) this.named.set(String(step.as), frame.id);
    if (step.same_as !== undefined) same(frame, this.named.get(`frame ${step.same_as}`) as Json);
    if (step.as !== undefined) this.named.set(`frame ${step.as}`, frame);
  }

  protected do_syncs(step: Step): void {
    this.do_sends({ sends: { type: "sync" }, as: "sync", within_s: step.within_s ?? 1 });
    const frame = this.named.get("frame sync") as Json;
    const expected = step.syncs as Json;
    check(equal(frame.conversations, expected), `it names ${JSON.stringify(frame.conversations)}`);
    check(frame.cursor === step.cursor, `its cursor is ${JSON.stringify(frame.cursor)}`);
    if (step.user !== undefined) check((frame.user ?? null) === step.user, `its place in the own log is ${frame.user}`);
    if (step.with === undefined) return;
    const blocks = { conversations: [], has_more: false, ...(step.with as Json) };
    this.do_reply({ reply: "sync", data: { type: "sync", ...blocks } });
  }

  protected do_reply(step: Step): void {
    this.receive({ success: true, id: this.named.get(String(step.reply)), data: step.data });
  }

  protected do_refuse(step: Step): void {
    const { refuse, code, retryable = false, retry_after_ms } = step;
    const after = retry_after_ms === undefined ? {} : { retry_after_ms };
    this.receive({ success: false, id: this.named.get(String(refuse)), code, error: "No", retryable, ...after });
  }

  protected do_event(step: Step): void {
    this.receive(step.event as Json);
  }

  protected do_passes_s(step: Step): void {
    this.advance(Number(step.passes_s));
  }

  protected do_silent(step: Step): void {
    this.advance(Number(step.for_s ?? 0));
    const types = step.silent as string[];
    const said = this.wire.filter((frame) => types.includes(String(frame.type)));
    check(said.length === 0, `it sends ${JSON.stringify(said)}`);
  }

  protected do_sees(step: Step): void {
    const expected = step.sees as Json[];
    const seen = this.seen;
    this.seen = [];
    check(seen.length === expected.length, `it sees ${JSON.stringify(seen)}`);
    for (const [index, pattern] of expected.entries()) match(seen[index], pattern, `event ${index + 1}`);
  }

  protected do_result(step: Step): void {
    const found = this.results.get(this.calls.get(String(step.result)) ?? -1);
    check((found === undefined) === (step.waits === true), `it has ended, or not: ${JSON.stringify(found)}`);
    if (step.waits === true) return;
    if (step.error !== undefined) check(found?.error?.code === step.error, `it ended as ${JSON.stringify(found)}`);
    else {
      check(found?.error === undefined, `it failed: ${found?.error?.code}`);
      if (step.ok !== undefined) match(found?.value, step.ok, "result");
    }
  }

  protected do_state(step: Step): void {
    check(STATES[this.core.connection] === step.state, `it is ${STATES[this.core.connection]}`);
    if (step.code !== undefined) check(this.core.error?.code === step.code, `its code is ${this.core.error?.code}`);
  }

  protected do_shows(step: Step): void {
    const shown = Object.fromEntries(this.presences);
    check(equal(shown, step.shows), `it shows ${JSON.stringify(shown)}`);
  }

  protected do_holds(step: Step): void {
    for (const [id, seq] of Object.entries(step.holds as Json))
      check(this.core.held(id) === seq, `${this.core.held(id)}`);
  }

  protected do_unsent(step: Step): void {
    const count = this.core.unacked.filter((item) => item.error === undefined).length;
    check(count === step.unsent, `${count} wait`);
  }

  protected do_renews(step: Step): void {
    this.until(() => this.wantsToken, Number(step.within_s ?? 1), "a request for a token");
    this.wantsToken = false;
    const token = step.renews as { token: string; left_s: number } | null;
    if (token === null) this.core.notRenewed(this.now);
    else this.core.renew(token.token, token.left_s * 1_000, this.now);
    this.perform();
  }

  protected do_pins(step: Step): void {
    for (const [id, seqs] of Object.entries(step.pins as Record<string, number[]>)) {
      this.pins.set(
        id,
        seqs.map((seq) => ({ seq, pinned_by: "bob", pinned_at: 1 })),
      );
    }
  }

  protected do_pinned(step: Step): void {
    for (const [id, seqs] of Object.entries(step.pinned as Json)) {
      const found = this.pins.get(id)?.map((pin) => pin.seq) ?? null;
      check(equal(found, seqs), `pinned is ${JSON.stringify(found)}`);
    }
  }

  protected do_listed(step: Step): void {
    this.listed = step.listed as unknown[];
  }

  /** What is refused at once has ended with that. */
  protected do_ask(step: Step): void {
    let call: number;
    try {
      call = this.asked(step);
    } catch (error) {
      if (!(error instanceof this.client.ParleyError)) throw error;
      call = --this.refusals;
      this.results.set(call + this.processes * 1_000_000, { error });
    }
    this.perform();
    if (step.as !== undefined) this.calls.set(String(step.as), call + this.processes * 1_000_000);
  }

  private asked(step: Step): number {
    const { ask, as: _, conversation_id, seq, to, client_message_id, users, content, emoji, remove, ...rest } = step;
    const id = conversation_id as string;
    if (ask === "open") {
      this.core.openConversation = id;
      return 0;
    }
    if (ask === "send") {
      const where = to === undefined ? { conversation_id: id } : { to: String(to) };
      const says = rest.forward_of === undefined ? { content: content as string, message_type: "text" as const } : {};
      const body = { ...says, ...(rest as Json) };
      return this.core.send(where, body, this.now, 0, client_message_id as string | undefined).call;
    }
    if (ask === "read") return this.core.mark("read", id, Number(seq), this.now);
    if (ask === "note") {
      this.core.noteRead(id, Number(seq), this.now);
      return 0;
    }
    if (ask === "typing") return this.core.request({ type: "typing", conversation_id: id, ...rest }, this.now);
    if (ask === "watch") return this.core.watch(users as string[], this.now);
    const about = { conversation_id: id, seq: Number(seq) };
    if (ask === "edit") {
      return this.core.change({ type: "edit", ...about, content: String(content), ...(rest as Json) }, this.now);
    }
    if (ask === "delete") return this.core.change({ type: "delete", ...about }, this.now);
    const reaction = { emoji: String(emoji), remove: remove === true };
    return this.core.change({ type: "react", ...about, ...reaction }, this.now);
  }

  private receive(frame: Json): void {
    this.core.receive(frame, this.now);
    this.perform();
  }

  private perform(): void {
    for (;;) {
      const { save, effects } = this.core.take();
      if (save === null && effects.length === 0) return;
      if (save !== null) this.store.write({ ...emptyBatch(), saves: [structuredClone(save)] });
      for (const effect of effects) this.do(effect);
    }
  }

  private do(effect: Effect): void {
    if (effect.type === "connect") this.wantsConnection = true;
    else if (effect.type === "disconnect") this.wire = [];
    else if (effect.type === "renew") this.wantsToken = true;
    else if (effect.type === "transmit") this.wire.push(structuredClone(effect.frame));
    else if (effect.type === "ask_notifications") this.core.notified(effect.number, this.listed, this.now);
    else if (effect.type === "done")
      this.results.set(effect.call + this.processes * 1_000_000, { value: effect.value });
    else if (effect.type === "failed") {
      this.results.set(effect.call + this.processes * 1_000_000, { error: effect.error });
    } else {
      const told = effect.event;
      const users = told.type === "presences" ? told.users : told.type === "ephemeral" ? [told.event as Json] : [];
      for (const user of users) {
        if ((user as Json).type === undefined || (user as Json).type === "presence") {
          this.presences.set(String(user.user_id), String(user.status));
        }
      }
      if (told.type === "entry") this.follow(told.entry);
      if (told.type === "membership_lost") this.pins.delete(told.conversation_id);
      const event = flat(told);
      if (event !== null) this.seen.push(event);
    }
  }

  private follow(entry: Entry): void {
    const pins = this.pins.get(entry.conversation_id);
    if (pins) this.pins.set(entry.conversation_id, this.client.pinsAfter(pins, entry));
  }

  private advance(seconds: number): void {
    const end = this.now + seconds * 1_000;
    while (this.tick(end));
    this.now = end;
  }

  /** What is due first, until `end`. */
  private tick(end: number): boolean {
    const deadline = this.core.deadline();
    if (deadline === null || deadline > end) return false;
    this.ticks = deadline > this.now ? 0 : this.ticks + 1;
    check(this.ticks < 100, "time stands still");
    this.now = Math.max(this.now, deadline);
    this.core.tick(this.now);
    this.perform();
    return true;
  }

  private until(look: () => boolean, seconds: number, what: string): void {
    const end = this.now + seconds * 1_000;
    while (!look()) check(this.tick(end), `${what} does not come`);
  }
}

/** What an application is told, as the scenarios name it; null for what they leave out. */
function flat(event: CoreEvent): Json | null {
  if (event.type === "entry") {
    const { message, ...entry } = event.entry as Json;
    return { ...(message as Json | undefined), ...entry, type: event.entry.type.replace(/^unknown:/, "") };
  }
  if (event.type === "ephemeral") return { ...event.event, type: event.event.type.replace(/^unknown:/, "") };
  if (event.type === "notification")
    return { type: "notification", ...(event.notification as Json), kind: event.notification.kind };
  if (event.type === "membership_lost") return event;
  if (event.type === "own") return event.entry;
  return null;
}

function check(so: boolean, otherwise: string): void {
  if (!so) throw new Error(otherwise);
}

/** Everything that the pattern has, the value has; lists are compared whole. */
function match(value: unknown, pattern: unknown, place: string): void {
  if (typeof pattern === "object" && pattern !== null && !Array.isArray(pattern)) {
    check(typeof value === "object" && value !== null, `${place} is ${JSON.stringify(value)}`);
    for (const [key, of] of Object.entries(pattern)) match((value as Json)[key], of, `${place}.${key}`);
  } else check(equal(value, pattern), `${place} is ${JSON.stringify(value)}, and not ${JSON.stringify(pattern)}`);
}

function same(frame: Json, other: Json): void {
  check(equal({ ...frame, id: "" }, { ...other, id: "" }), `${JSON.stringify(frame)} is not ${JSON.stringify(other)}`);
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, of]) => [key, sorted(of)]),
  );
}
