/** A listener's mistake is its own: it is reported as any uncaught error, and the client goes on. */
export function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}
