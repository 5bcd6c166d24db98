/** Does what the core says: keeps first, and then tells. */

import type { Core } from "../core/core.js";
import type { Effect } from "../core/effects.js";
import { ParleyError } from "../errors.js";
import { type Batch, emptyBatch, type Store } from "../store/store.js";
import { guarded } from "../views/guarded.js";
import type { Ledger } from "../views/ledger.js";

export type Doer = {
  effect(effect: Effect): void;
  /** All effects of one write were done. */
  settled(): void;
};

type Waiting = { resolve: (value: unknown) => void; reject: (error: ParleyError) => void };

export class Runner {
  readonly #core: Core;
  #batch: Batch = emptyBatch();
  #effects: Effect[] = [];
  /** Effects are being done, or wait for a write: what comes meanwhile has its turn after them. */
  #busy = false;
  #writing: Promise<void> = Promise.resolve();
  /** Nothing is written any more: it could not be, or all is kept, and the store another client's by now, which knows more. */
  #shut = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #calls = new Map<number, Waiting>();

  constructor(
    core: Core,
    private readonly store: Store,
    private readonly ledger: Ledger,
    private readonly doer: Doer,
  ) {
    this.#core = core;
  }

  now(): number {
    return performance.now();
  }

  /** Keep this along with the next write. */
  keep(add: (batch: Batch) => void): void {
    add(this.#batch);
    queueMicrotask(() => this.perform());
  }

  /** To be called whenever the core was told something. */
  perform(): void {
    const { save, effects } = this.#core.take();
    for (const effect of effects) {
      if (effect.type === "event" && effect.event.type === "entry") this.ledger.keep(effect.event.entry, this.#batch);
    }
    if (save !== null) this.#batch.saves.push(save);
    this.#effects.push(...effects);
    if (!this.#busy) this.#drain();
    this.#schedule();
  }

  /** Ask the core for something, and wait for how it ends. */
  call<T>(ask: () => number): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      this.#calls.set(ask(), { resolve, reject });
      this.perform();
    }) as Promise<T>;
  }

  /** Resolves when what there was to keep is kept, or could not be. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#busy) await this.#writing;
    this.#shut = true;
  }

  /** The store does not answer: who waits is told without it, and what it has to keep is left to it. */
  abandon(error: ParleyError): void {
    this.#finish(this.#effects.filter((effect) => effect.type === "event" && effect.event.type === "connection"));
    for (const call of this.#calls.keys()) this.#ended(call)?.reject(error);
  }

  #drain(): void {
    this.#busy = true;
    while (this.#effects.length > 0 || !isEmpty(this.#batch)) {
      const [batch, effects] = [this.#batch, this.#effects];
      this.#batch = emptyBatch();
      this.#effects = [];
      const written = this.#write(batch);
      if (written !== undefined) {
        this.#writing = written.then(
          () => this.#resume(effects),
          (error: unknown) => this.#fail(error, effects),
        );
        return;
      }
      this.#finish(effects);
    }
    this.#busy = false;
  }

  #write(batch: Batch): Promise<void> | undefined {
    if (this.#shut || isEmpty(batch)) return undefined;
    try {
      return this.store.write(batch) ?? undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #resume(effects: Effect[]): void {
    this.#finish(effects);
    this.#drain();
  }

  /** What could not be kept is not told; the client ends. */
  #fail(error: unknown, effects: Effect[]): void {
    const untold = [...effects, ...this.#effects];
    this.#busy = false;
    this.#shut = true;
    this.#effects = [];
    this.#batch = emptyBatch();
    const unkept = ParleyError.of(error, "not_saved", false);
    for (const effect of untold) if ("call" in effect) this.#ended(effect.call)?.reject(unkept);
    this.#core.stop(unkept);
    this.perform();
  }

  #finish(effects: Effect[]): void {
    for (const effect of effects) guarded(() => this.#do(effect));
    this.doer.settled();
  }

  #do(effect: Effect): void {
    if (effect.type === "done") this.#ended(effect.call)?.resolve(effect.value);
    else if (effect.type === "failed") this.#ended(effect.call)?.reject(effect.error);
    else this.doer.effect(effect);
  }

  #ended(call: number): Waiting | undefined {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    return waiting;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const deadline = this.#core.deadline();
    if (deadline === null) return;
    // a timer may come a little early by the other clock, and none waits for longer than 24 days
    const wait = Math.min(Math.max(0, Math.ceil(deadline - this.now())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#core.tick(this.now());
      this.perform();
    }, wait);
  }
}

function isEmpty(batch: Batch): boolean {
  return Object.values(batch).every((each: unknown[]) => each.length === 0);
}
