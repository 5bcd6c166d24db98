/** What went wrong, in the page's words: the server's and the client's own are English, and meant for developers. */
import type { I18n } from "../i18n";
import type { Key } from "../i18n/en";

/** Codes that have words. Of any other problem no more is said than that there is one. */
const WORDS: Readonly<Record<string, Key>> = {
  unreachable: "error.unreachable",
  connection_lost: "error.unreachable",
  closed: "error.unreachable",
  disconnected: "error.unreachable",
  timeout: "error.timeout",
  unauthenticated: "error.unauthenticated",
  token_expired: "error.unauthenticated",
  revoked: "error.revoked",
  banned: "error.banned",
  connection_limit: "error.connection_limit",
  wrong_user: "error.wrong_user",
  log_lost: "error.log_lost",
  not_saved: "error.not_saved",
  aborted: "error.aborted",
  bad_request: "error.bad_request",
  unknown_type: "error.bad_request",
  conflict: "error.conflict",
  sync_required: "error.unavailable",
  rate_limited: "error.rate_limited",
  unavailable: "error.unavailable",
  internal: "error.unavailable",
  expired: "error.unavailable",
  blocked: "error.blocked",
  forbidden: "error.forbidden",
  not_a_member: "error.not_a_member",
  not_found: "error.not_found",
  rejected: "error.rejected",
  held: "message.held",
  too_large: "error.too_large",
  outbox_full: "error.outbox_full",
  file_rejected: "error.file.rejected",
};
/** What else they mean where a file was not taken. */
const OF_FILES: Readonly<Record<string, Key>> = {
  empty: "error.file.empty",
  lost: "error.file.lost",
  bad_request: "error.file.type",
  conflict: "error.file.quota",
};
const REJECTED = ["wrong_type", "wrong_size", "not_decodable", "too_many_pixels"] as const;

/** Until when an administrator keeps the user out, where that is known. */
export function banIn({ t, when }: Pick<I18n, "t" | "when">, until?: number | null): string {
  return until ? t("connection.bannedUntil", { when: when(until) }) : t("connection.banned");
}

export type Problem = { code: string; error: string };

export function asProblem(thrown: unknown): Problem {
  const { code, reason, message } = thrown as { code?: string; reason?: string; message?: string };
  return { code: code ?? "", error: reason ?? message ?? String(thrown) };
}

export function problemIn(t: I18n["t"], { code, error }: Problem, isFile = false): string {
  const why = code === "file_rejected" && REJECTED.find((one) => error.includes(one));
  const known = (words: typeof WORDS) => (Object.hasOwn(words, code) ? words[code] : undefined);
  const key = why ? (`error.file.${why}` as const) : (isFile && known(OF_FILES)) || known(WORDS);
  return t(key ?? "error.other");
}
