/** Opens connections, with a ticket or a token in a header, and gets fresh tokens for the one that is open. */

import type { Base } from "../base.js";
import type { Core } from "../core/core.js";
import { ParleyError } from "../errors.js";
import { guarded } from "../views/guarded.js";
import type { Runner } from "./runner.js";
import { leftOf, userOf } from "./tokens.js";
import { Transport } from "./transport.js";

export class Opening {
  readonly #transport: Transport;
  /** Of the connection that is opened, or open: what belongs to an earlier one is dropped. */
  #number = 0;
  #refusedOnce = false;

  constructor(
    private readonly base: Base,
    private readonly core: Core,
    private readonly runner: Runner,
  ) {
    this.#transport = new Transport(base.WebSocket);
  }

  async connect(): Promise<void> {
    const number = ++this.#number;
    let token = "";
    try {
      token = await this.base.tokens.fresh();
      if (number !== this.#number) return;
      const user = userOf(token);
      if (user !== null) this.core.identify(user);
      const ticket = this.base.byTicket ? (await this.base.api.post("/v1/tickets")).ticket : undefined;
      if (this.base.byTicket && !ticket) throw new ParleyError("unreachable", "The answer has no ticket", true);
      if (number === this.#number) this.#open(token, ticket);
    } catch (error) {
      if (number === this.#number) this.#refused(error, token);
    }
  }

  send(frame: Record<string, unknown>): void {
    this.#transport.send(frame);
  }

  leave(): void {
    this.#number++;
    this.#transport.close();
  }

  async renew(): Promise<void> {
    const { core, base } = this;
    try {
      const token = await base.tokens.fresh();
      core.renew(token, leftOf(token, Date.now()), this.runner.now());
    } catch {
      core.notRenewed(this.runner.now());
    }
    this.runner.perform();
  }

  #open(token: string, ticket?: string): void {
    const { core, base, runner } = this;
    const { url, deviceId } = base.options;
    const query = new URLSearchParams();
    if (ticket !== undefined) query.set("ticket", ticket);
    if (deviceId !== undefined) query.set("device_id", deviceId);
    const asked = query.size > 0 ? `${url.includes("?") ? "&" : "?"}${query}` : "";
    this.#transport.open(url + asked, ticket === undefined ? { authorization: `Bearer ${token}` } : {}, {
      open: () => {
        this.#refusedOnce = false;
        core.connected(runner.now(), { left: leftOf(token, Date.now()), renews: base.tokens.renews });
        runner.perform();
      },
      frame: (frame) => {
        guarded(() => core.receive(frame, runner.now()));
        runner.perform();
      },
      lost: (reason, status) => {
        if (status === 401 || status === 403) {
          this.#refused(new ParleyError("forbidden", reason, false, undefined, status), token);
          return;
        }
        core.lost(runner.now(), reason);
        runner.perform();
      },
    });
  }

  /** Refused with a token that was fresh: another try with another one, and then the user has to sign in again. */
  #refused(error: unknown, token: string): void {
    const { core, base, runner } = this;
    const known = ParleyError.of(error);
    if (known.code === "wrong_user" || known.code === "banned") {
      core.stop(known);
    } else if (known.status === 401 || known.status === 403) {
      const left = leftOf(token, Date.now());
      if (!base.tokens.renews && left !== null && left <= 0) {
        core.stop(new ParleyError("token_expired", "The token has ended, and there is no other"));
      } else if (this.#refusedOnce || !base.tokens.renews) core.stop(known);
      else core.lost(runner.now(), known.reason, known.code);
      this.#refusedOnce = true;
    } else {
      core.lost(runner.now(), known.reason);
    }
    runner.perform();
  }
}
