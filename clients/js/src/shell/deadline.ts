/** Nothing is waited for without an end. */

import { ParleyError } from "../errors.js";

/** The same, or `timeout` where that takes longer (ms). */
export function within<T>(work: Promise<T>, longest: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new ParleyError("timeout", `${what} did not come in time`, true));
    const timer = setTimeout(late, longest);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
