/** A file on its way, as the list of messages has it where the client does not show it itself. */
import type { MessageItem } from "@parley/client";
import type { Problem } from "./problems";
import type { Shelved } from "./shelf";

/** `running`: the client has it, and shows how far it is. */
export type Upload = Omit<Shelved, "blob"> & {
  blob?: Blob;
  state: "waiting" | "running" | "failed";
  problem?: Problem;
  previewUrl?: string;
  /** Bytes of several files that are there; of one alone the client knows. */
  done?: number;
};

export function asItem(upload: Upload, me: string): MessageItem {
  const {
    id: key,
    conversation_id,
    name,
    caption,
    created_at,
    blob,
    previewUrl,
    problem,
    more = [],
    done = 0,
  } = upload;
  const isImage = blob?.type.startsWith("image/");
  const message: MessageItem["message"] = {
    id: "",
    conversation_id,
    seq: 0,
    sender_id: me,
    content: caption ?? "",
    type: isImage ? "image" : "file",
    created_at,
    client_message_id: key,
  };
  const progress = {
    done,
    total: more.reduce((sum, one) => sum + one.blob.size, blob?.size ?? 0),
    name,
    contentType: blob?.type ?? "",
    ...(previewUrl && { previewUrl }),
  };
  const base = { kind: "message", key, seq: null, message, mine: true, upload: progress } as const;
  return problem
    ? { ...base, state: "failed", error: { ...problem, retryable: false } }
    : { ...base, state: "sending" };
}

/** What a picture looks like before it is stored; whoever asks lets it go. */
export function previewOf(blob: Blob): { previewUrl?: string } {
  return blob.type.startsWith("image/") ? { previewUrl: URL.createObjectURL(blob) } : {};
}
