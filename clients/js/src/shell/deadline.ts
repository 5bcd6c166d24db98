/** Nothing is waited for without an end, be it by the clock or by who asked for it. */

import { ParleyError } from "../errors.js";

/** The same, or `timeout` where that takes longer (ms). */
export function within<T>(work: Promise<T>, longest: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new ParleyError("timeout", `${what} did not come in time`, true));
    const timer = setTimeout(late, longest);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Calls off what `control` does when `signal` says so. Returns how to stop that. */
export function follow(signal: AbortSignal | undefined, control: AbortController): () => void {
  const abort = () => control.abort();
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  return () => signal?.removeEventListener("abort", abort);
}
