import type { Failure } from "./generated/frames.js";

/**
 * One refused or failed request. `code` is stable: the protocol's (`not_a_member`, `rate_limited` …), or one of the client's own:
 * `unreachable` (no answer over HTTP), `connection_lost`, `timeout`, `outbox_full`, `closed`, `disconnected`, `wrong_user`,
 * `log_lost` (the server's log ends before what is held of it), `not_saved` (the store failed), `file_rejected`, `aborted`.
 * `held`: the message waits for review; it is stored, or rejected, later. `retryable`: the same again may go through later.
 */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  /** With `rejected`: why, in a word for programs. */
  word?: string;
  /** With `banned`: when it ends (ms); null where it does not end by itself. */
  until?: number | null;

  constructor(
    readonly code: string,
    readonly reason: string,
    readonly retryable = false,
    readonly retryAfterMs?: number,
    readonly status?: number,
  ) {
    super(`${reason} (${code})`);
  }

  /** Itself, or `code` with what it says: a failure that may pass, unless said otherwise. */
  static of(error: unknown, code = "unreachable", retryable = true): ParleyError {
    if (error instanceof ParleyError) return error;
    const known = new ParleyError(code, error instanceof Error ? error.message : String(error), retryable);
    known.cause = error;
    return known;
  }

  /** The error that a reply frame or an HTTP body states. What is missing in it is taken as a server's fault. */
  static fromWire(body: Partial<Failure>, status?: number): ParleyError {
    const after = typeof body.retry_after_ms === "number" ? body.retry_after_ms : undefined;
    const code = body.code ?? "internal";
    const error = new ParleyError(
      code,
      body.error ?? "The server gave no reason",
      body.retryable === true,
      after,
      status,
    );
    const { reason } = body as { reason?: unknown };
    if (typeof reason === "string") error.word = reason;
    if (body.until !== undefined) error.until = body.until;
    return error;
  }
}
