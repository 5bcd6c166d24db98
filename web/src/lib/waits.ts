/** What is waited for, until that is over: nothing is left waiting behind, and no lock held. */

export class Waits {
  private readonly wakes = new Set<() => void>();
  private isOver = false;

  /** Resolves when `begin` calls its `wake`, or all is over. What `begin` returns is called then. */
  async until(begin: (wake: () => void) => (() => void) | undefined): Promise<void> {
    if (this.isOver) return;
    let wake = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.wakes.add(wake);
    const stop = begin(wake);
    await woken;
    stop?.();
    this.wakes.delete(wake);
  }

  end(): void {
    this.isOver = true;
    for (const wake of this.wakes) wake();
  }
}

/** One tab at a time. Where the browser has no locks for the page, each goes on by itself. */
export async function locked(name: string, work: () => Promise<void>): Promise<void> {
  let isBegun = false;
  const begin = () => {
    isBegun = true;
    return work();
  };
  try {
    if (navigator.locks) return await navigator.locks.request(name, begin);
  } catch (error) {
    if (isBegun) throw error; // else the browser has none for this page
  }
  await work();
}
