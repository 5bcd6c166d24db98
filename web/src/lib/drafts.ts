/**
 * What was begun to write, and what was sent and is not in the outbox yet: in the tab's `sessionStorage`, which is written at once
 * and outlives a reload. So nothing is lost between the key that sends and the database that keeps.
 */
import type { Message, ParleyClient, ParleyError, SendMore, Store } from "@parley/client";
import { forgetIn, keep, keptIn } from "./kept";

export type Reference = { kind: "reply" | "edit"; message: Message };
/** `before`: what was there when an edit was begun, and is there again after it. */
export interface Draft {
  text: string;
  reference?: Reference;
  before?: Draft;
}
export const EMPTY: Draft = { text: "" };

// --- drafts

const draftName = (user: string, id: string) => `parley.draft ${user} ${id}`;

export function draftOf(user: string, id: string): Draft {
  const found = keptIn<Draft>(draftName(user, id));
  return typeof found?.text === "string" ? found : EMPTY;
}

export function keepDraft(user: string, id: string, draft: Draft): void {
  keep(draftName(user, id), draft.text || draft.reference ? draft : null);
}

/** What is there to write after a message was chosen to be replied to, or edited; null: after that was given up. */
export function referring(draft: Draft, reference: Reference | null): Draft {
  const outside = draft.reference?.kind === "edit" ? (draft.before ?? EMPTY) : draft;
  if (reference?.kind === "edit") return { text: reference.message.content ?? "", reference, before: outside };
  if (reference) return { text: outside.text, reference };
  return draft.reference?.kind === "edit" ? outside : { text: draft.text };
}

/** What is there to write after this draft was sent. */
export function after(draft: Draft): Draft {
  return draft.reference?.kind === "edit" ? (draft.before ?? EMPTY) : EMPTY;
}

// --- on the way into the outbox

type More = SendMore & { client_message_id: string };
type Sent =
  | { id: string; conversation_id: string; content: string | null; more: More }
  | { id: string; conversation_id: string; content: string; seq: number };
const sentName = (user: string) => `parley.sent ${user}`;

function waiting(user: string): Sent[] {
  return keptIn<Sent[]>(sentName(user)) ?? [];
}

/** These need not be kept here any more: the outbox has them, or nothing will. */
export function arrived(user: string, ids: readonly string[]): void {
  const all = waiting(user);
  const left = all.filter((one) => !ids.includes(one.id));
  if (left.length < all.length) keep(sentName(user), left.length ? left : null);
}

/** Sends, and keeps it here until the store has it. Throws for what could never be sent. */
export function send(
  client: ParleyClient,
  user: string,
  conversation_id: string,
  content: string | null,
  more: SendMore = {},
) {
  const id = crypto.randomUUID();
  const sent = { id, conversation_id, content, more: { ...more, client_message_id: id } };
  keep(sentName(user), [...waiting(user), sent]);
  return again(client, user, sent);
}

/** Edits, and keeps it here until the server has it. */
export function edit(client: ParleyClient, user: string, { conversation_id, seq }: Message, content: string) {
  const sent = { id: crypto.randomUUID(), conversation_id, content, seq };
  keep(sentName(user), [...waiting(user), sent]);
  return again(client, user, sent);
}

/** What the page before this one had no time for. No message of it has ever gone out; an edit may be made twice. */
export function sendWaiting(client: ParleyClient, user: string): Promise<unknown>[] {
  return waiting(user).map((sent) => again(client, user, sent));
}

/** Resolves when the outbox has a message, and the server an edit. `stored`: when the server has the message. */
async function again(client: ParleyClient, user: string, sent: Sent): Promise<{ stored: Promise<unknown> }> {
  const { id, conversation_id, content } = sent;
  try {
    if (!("seq" in sent)) {
      const { stored } = client.send({ conversation_id }, content, sent.more);
      stored.catch(() => undefined); // it stands there as failed
      return { stored }; // that the outbox has it says the store
    }
    await client.edit(conversation_id, sent.seq, sent.content);
  } catch (error) {
    if ((error as ParleyError).code !== "closed") arrived(user, [id]); // else the next page does it
    throw error;
  }
  arrived(user, [id]);
  return { stored: Promise.resolve() };
}

type Arriving = { arrived(ids: readonly string[]): Promise<void>; clear(): Promise<void> };

/** `store`, which says what has arrived in its outbox before anything of it goes out: here, and to the uploads. */
export function telling(store: Store, user: string, uploads: Arriving): Store {
  const tell = async (ids: readonly string[]) => {
    if (!ids.length) return;
    arrived(user, ids);
    await uploads.arrived(ids);
  };
  return {
    load: async () => {
      const loaded = await store.load();
      await tell(loaded.saved.outbox.map((one) => one.client_message_id));
      return loaded;
    },
    write: async (batch) => {
      await store.write(batch);
      await tell(batch.saves.flatMap((save) => save.put.map((one) => one.client_message_id)));
    },
    items: (id, range) => store.items(id, range),
    clear: async () => {
      forget(user);
      await uploads.clear();
      await store.clear();
    },
    close: () => store.close(),
  };
}

/** Nothing of this user's stays in the tab. */
export function forget(user: string): void {
  forgetIn(draftName(user, ""));
  keep(sentName(user), null);
}
