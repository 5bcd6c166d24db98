/** What went wrong, in the page's words: the server's and the client's own are English, and meant for developers. */
import type { I18n } from "../i18n";
import type { Key } from "../i18n/en";

/** Codes that have words. Any other problem is told in the words that it came with. */
const WORDS: Readonly<Record<string, Key>> = {
  unreachable: "error.unreachable",
  connection_lost: "error.unreachable",
  closed: "error.unreachable",
  disconnected: "error.unreachable",
  timeout: "error.timeout",
  rate_limited: "error.rate_limited",
  unavailable: "error.unavailable",
  internal: "error.unavailable",
  blocked: "error.blocked",
  forbidden: "error.forbidden",
  not_a_member: "error.not_a_member",
  not_found: "error.not_found",
  too_large: "error.too_large",
  outbox_full: "error.outbox_full",
};
/** What else they mean where a file was not taken. */
const OF_FILES: Readonly<Record<string, Key>> = {
  empty: "error.file.empty",
  lost: "error.file.lost",
  bad_request: "error.file.type",
  conflict: "error.file.quota",
  expired: "error.unavailable",
};
const REJECTED = ["wrong_type", "wrong_size", "not_decodable", "too_many_pixels"] as const;

export type Problem = { code: string; error: string };

export function asProblem(thrown: unknown): Problem {
  const { code, reason, message } = thrown as { code?: string; reason?: string; message?: string };
  return { code: code ?? "", error: reason ?? message ?? String(thrown) };
}

export function problemIn(t: I18n["t"], { code, error }: Problem, isFile = false): string {
  const why = code === "file_rejected" && REJECTED.find((one) => error.includes(one));
  const key = why ? (`error.file.${why}` as const) : (isFile && OF_FILES[code]) || WORDS[code];
  return key ? t(key) : error;
}
