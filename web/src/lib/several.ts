/** Several files of one message: each is uploaded once, however often it is tried, and then the message is sent. */
import type { FileOut, ParleyClient } from "@parley/client";
import { kindOf } from "./recorder";
import type { Shelved } from "./shelf";

/** What a message holds. */
export const MOST_FILES = 10;

type Told = { signal: AbortSignal; onProgress: (done: number) => void };

/** Of each message that is on its way: what is there already. The server keeps it for a day. */
const there = new Map<string, Map<number, FileOut>>();

export async function sendSeveral(client: ParleyClient, one: Shelved, { signal, onProgress }: Told): Promise<void> {
  const { id, conversation_id, caption, more = [] } = one;
  const found = there.get(id) ?? new Map<number, FileOut>();
  there.set(id, found);
  let before = 0;
  for (const [index, { name, blob }] of [{ name: one.name, blob: one.blob }, ...more].entries()) {
    const base = before;
    const kind = kindOf(blob);
    const told = (done: number) => onProgress(base + done);
    if (!found.has(index))
      found.set(index, await client.upload(blob, { name, signal, onProgress: told, ...(kind && { kind }) }));
    before += blob.size;
    onProgress(before);
  }
  const attachments = [...found.values()].map(({ kind, file_id, name, size }) => ({ type: kind, file_id, name, size }));
  const sent = client.send({ conversation_id }, caption ?? null, { attachments, client_message_id: id });
  there.delete(id);
  await sent.stored;
}
