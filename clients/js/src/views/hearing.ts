/** Takes what the core tells to the views, and to the application. */

import type { CoreEvent } from "../core/effects.js";
import { given } from "../core/given.js";
import { isKnown, isLive } from "../core/parsing.js";
import type { ParleyError } from "../errors.js";
import type { Session } from "../session.js";
import type { LiveEvent } from "../types.js";

export class Hearing {
  constructor(private readonly session: Session) {}

  of(event: CoreEvent): void {
    const { base, timelines, rows } = this.session;
    switch (event.type) {
      case "entry": {
        const { entry } = event;
        if (isKnown(entry, "new_message")) base.typists.set(entry.conversation_id, entry.message.sender_id, false);
        timelines.entry(entry);
        rows.entry(entry);
        base.tell("entry", entry);
        break;
      }
      case "ephemeral":
        this.#live(event.event);
        base.tell("event", event.event);
        break;
      case "presences":
        for (const user of event.users) base.people.set(user);
        break;
      case "notification":
        base.told = [...base.told, event.notification];
        base.topics.touch("notifications");
        break;
      case "membership_lost":
        rows.remove(event.conversation_id);
        base.tell("membership_lost", { conversation_id: event.conversation_id });
        break;
      case "send_failed": {
        const { client_message_id, conversation_id, error } = event;
        timelines.touch(conversation_id);
        base.tell("send_failed", { client_message_id, conversation_id, error });
        break;
      }
      case "acked":
        timelines.acked(event.conversation_id, event.client_message_id);
        break;
      case "own":
        if (event.entry.type === "user_changed") rows.own(event.entry);
        base.tell(event.entry.type, event.entry as never);
        break;
      case "synced":
        for (const state of event.conversations) rows.synced(state);
        break;
      case "connection":
        this.#connection(event);
        break;
    }
  }

  #live(event: LiveEvent): void {
    const { base, core, timelines, reading } = this.session;
    if (isLive(event, "presence")) {
      base.people.set(event);
    } else if (isLive(event, "typing")) {
      const { conversation_id, user_id, active } = event;
      if (user_id !== core.userId) base.typists.set(conversation_id, user_id, active !== false);
    } else if (isLive(event, "read") || isLive(event, "delivered")) {
      const { conversation_id, user_id, seq, type } = event;
      if (user_id !== core.userId) timelines.receipt(conversation_id, user_id, seq, type);
      else if (type === "read") reading.moved(conversation_id, seq);
    }
  }

  #connection({ state, reason, code, until, retryIn }: Extract<CoreEvent, { type: "connection" }>): void {
    const { base, timelines, rows, typing, isReplaced } = this.session;
    if (isReplaced) return;
    base.show({
      state,
      ...given({ reason, code, until, retryAt: retryIn === undefined ? undefined : Date.now() + retryIn }),
    });
    if (state === "offline" || state === "ended") {
      base.typists.clear();
      typing.clear();
    }
    if (state === "ended") {
      this.session.leave();
      if (until === undefined && (code === "banned" || code === "forbidden")) void this.#askBan();
    }
    if (state === "online") {
      void rows.refresh().catch(() => {});
      timelines.refresh();
    }
  }

  /** A connection that ends says no more than that: until when, every request does. */
  async #askBan(): Promise<void> {
    const { base } = this.session;
    try {
      await base.api.get("/v1/me");
    } catch (error) {
      const { code, reason, until } = error as ParleyError;
      if (code !== "banned" || this.session.isReplaced) return;
      base.show({ state: "ended", code, reason, ...given({ until }) });
      base.topics.flush();
    }
  }
}
