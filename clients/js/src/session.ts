/** A client from one start to its end: the core, what drives it, and what shows it. */

import type { Base } from "./base.js";
import type { Change } from "./core/changes.js";
import { Core } from "./core/core.js";
import type { Effect } from "./core/effects.js";
import { ParleyError } from "./errors.js";
import { Outgoing } from "./outgoing.js";
import { joinBrowser } from "./shell/browser.js";
import { Opening } from "./shell/opening.js";
import { Runner } from "./shell/runner.js";
import type { Batch, Loaded } from "./store/store.js";
import type { Changed } from "./types.js";
import type { Deps } from "./views/deps.js";
import { Hearing } from "./views/hearing.js";
import { InboxView } from "./views/inbox.js";
import { Ledger } from "./views/ledger.js";
import { OwnTyping } from "./views/people.js";
import { Reading } from "./views/reading.js";
import { Timelines } from "./views/timelines.js";

export class Session {
  readonly core: Core;
  readonly runner: Runner;
  readonly timelines: Timelines;
  readonly rows: InboxView;
  readonly reading = new Reading(this);
  readonly outgoing = new Outgoing(this);
  readonly typing = new OwnTyping(this);
  /** Another has begun: how the connection is, that one says. */
  isReplaced = false;
  readonly #hearing = new Hearing(this);
  readonly #opening: Opening;
  #leaveBrowser = () => {};

  /** Without what was `loaded` there is something to look at, and no more. Throws for a store of another user. */
  constructor(
    readonly base: Base,
    private readonly loaded?: Loaded,
  ) {
    const { options, store, topics, api } = base;
    const ledger = new Ledger();
    if (loaded !== undefined) ledger.restore(loaded.from, loaded.saved.conversations);
    this.core = new Core({
      newId: () => base.newId(),
      random: options.random ?? Math.random,
      overHttp: true,
      settings: base.settings,
      ...(loaded === undefined ? {} : { saved: loaded.saved }),
    });
    this.runner = new Runner(this.core, store, ledger, {
      effect: (effect) => this.#do(effect),
      settled: () => topics.flush(),
    });
    this.#opening = new Opening(base, this.core, this.runner);
    const keep = (add: (batch: Batch) => void) => this.runner.keep(add);
    const deps: Deps = { base, core: this.core, store, api, topics, ledger, keep };
    this.timelines = new Timelines(deps);
    this.rows = new InboxView(deps);
    this.rows.unreadBehind = (id, seq) => this.timelines.unreadBehind(id, seq);
    if (loaded !== undefined) this.rows.restore(loaded.rows);
  }

  /** Go on where the one before has ended. */
  begin(before: Session): void {
    before.isReplaced = true;
    this.core.openConversation = before.core.openConversation;
    this.#leaveBrowser = joinBrowser(
      () => this.#cutOff(),
      () => this.reconnect(),
      () => this.#tellRead(),
    );
    this.core.start();
    if (this.base.watched.length > 0) this.watch().catch(() => {});
    for (const id of before.timelines.ids()) void this.timelines.ensure(id).catch(() => {});
    this.perform();
    this.base.topics.touch("inbox");
    this.base.topics.flush();
  }

  /** Resolves when all that is left is kept. */
  end(): Promise<void> {
    this.#tellRead();
    this.outgoing.stop();
    this.base.typists.clear();
    this.core.stop();
    this.perform();
    this.leave();
    this.#leaveBrowser();
    return this.runner.stop();
  }

  leave(): void {
    this.#opening.leave();
  }

  get isOver(): boolean {
    return this.core.connection === "stopped";
  }

  perform(): void {
    this.runner.perform();
  }

  /** Ask the core for something, and wait for how it ends. */
  async call<T>(ask: (now: number) => number): Promise<T> {
    this.checkReady();
    return this.runner.call<T>(() => ask(this.runner.now()));
  }

  /** The store was read: before that, what waits in it is not known. */
  checkReady(): void {
    if (this.loaded === undefined) throw new ParleyError("closed", "Start the client first", true);
  }

  /** Shown at once, and taken back where the server refuses it. */
  async change(change: Change): Promise<Changed> {
    const answer = this.call<Changed>((now) => this.core.change(change, now));
    this.timelines.overlay(change, true);
    this.base.topics.flush();
    try {
      return await answer;
    } finally {
      this.timelines.overlay(change, false);
      this.base.topics.flush();
    }
  }

  async watch(): Promise<void> {
    const { watched } = this.base;
    if (this.loaded === undefined || this.isOver) return; // the next start asks
    try {
      await this.call((now) => this.core.watch(watched, now));
    } catch (error) {
      // refused: the same may be asked for again
      if (this.base.watched === watched && !this.isOver) this.base.watched = [];
      throw error;
    }
  }

  reconnect(): void {
    this.core.nudge(this.runner.now());
    this.perform();
  }

  #tellRead(): void {
    this.core.tellRead(this.runner.now());
    this.perform();
  }

  #cutOff(): void {
    this.core.cutOff(this.runner.now());
    this.perform();
  }

  #do(effect: Effect): void {
    if (effect.type === "connect") void this.#opening.connect();
    else if (effect.type === "disconnect") this.leave();
    else if (effect.type === "renew") void this.#opening.renew();
    else if (effect.type === "ask_notifications") void this.#askNotifications(effect.number);
    else if (effect.type === "transmit") this.#opening.send(effect.frame);
    else if (effect.type === "event") this.#hearing.of(effect.event);
  }

  async #askNotifications(number: number): Promise<void> {
    const { core, runner } = this;
    try {
      const { notifications } = await this.base.api.get("/v1/notifications");
      core.notified(number, notifications, runner.now());
    } catch (error) {
      core.notNotified(number, ParleyError.of(error), runner.now());
    }
    this.perform();
  }
}
