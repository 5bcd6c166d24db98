/** Who is told when something has changed: once for all that changed together. */

import type { Topic } from "../types.js";
import { guarded } from "./guarded.js";

export class Topics {
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly changed = new Set<string>();

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, listeners);
    const own = () => listener(); // the same function may listen twice
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.listeners.get(topic) === listeners) this.listeners.delete(topic);
    };
  }

  has(topic: Topic): boolean {
    return this.listeners.has(topic);
  }

  touch(topic: Topic): void {
    this.changed.add(topic);
  }

  /** Tell those who listen to what was touched. */
  flush(): void {
    if (this.changed.size === 0) return;
    const topics = [...this.changed];
    this.changed.clear();
    for (const topic of topics) for (const listener of [...(this.listeners.get(topic) ?? [])]) guarded(listener);
  }
}
