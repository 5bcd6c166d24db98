/** Several files in one message: all are uploaded, and then it is sent. */

import type { ParleyClient } from "../client.js";
import { ParleyError } from "../errors.js";
import type { Ack, FileOut, SendMore, UploadOptions, Where } from "../types.js";
import { inParts } from "./people.js";

/** What `upload` takes, and with what. */
export type FileToSend = { file: Blob | Uint8Array } & Omit<UploadOptions, "onProgress" | "signal">;
export type SendFilesOptions = Omit<SendMore, "file_id" | "message_type" | "forward_of"> & {
  caption?: string;
  /** Bytes of all files together. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
};

const MOST_FILES = 10;
const AT_ONCE = 3;

/**
 * Each file is an attachment `{type, file_id, name, size}` of the one message. Rejects for the first file that is not taken, with
 * nothing sent: with a `client_message_id` of your own the same again is stored once.
 */
export async function sendFiles(
  client: ParleyClient,
  where: Where,
  files: readonly FileToSend[],
  { caption, onProgress, signal, attachments: more = [], ...rest }: SendFilesOptions = {},
): Promise<Ack> {
  if (files.length === 0 || files.length + more.length > MOST_FILES) {
    throw new ParleyError("bad_request", `A message has 1 to ${MOST_FILES} files`);
  }
  const done = files.map(() => 0);
  const total = files.reduce((sum, { file }) => sum + sizeOf(file), 0);
  const one = async ({ file, ...options }: FileToSend, index: number) => {
    const told = (bytes: number) => {
      done[index] = bytes;
      onProgress?.(
        done.reduce((a, b) => a + b, 0),
        total,
      );
    };
    return client.upload(file, { ...options, onProgress: told, ...(signal && { signal }) });
  };
  const found: FileOut[] = [];
  for (const part of inParts([...files.entries()], AT_ONCE)) {
    found.push(...(await Promise.all(part.map(([index, file]) => one(file, index)))));
  }
  const attachments = [...found.map(({ kind, file_id, name, size }) => ({ type: kind, file_id, name, size })), ...more];
  return client.send(where, caption || null, { ...rest, attachments }).stored;
}

const sizeOf = (file: Blob | Uint8Array) => (file instanceof Blob ? file.size : file.byteLength);
