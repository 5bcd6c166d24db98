/** Which conversation is open, as the address's fragment says: the browser's back button closes it, a reload keeps it. */
import { useSyncExternalStore } from "react";

function read(): string | null {
  const hash = location.hash;
  try {
    return hash.startsWith("#/") && hash.length > 2 ? decodeURIComponent(hash.slice(2)) : null;
  } catch {
    return null;
  }
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

export function useOpenConversation(): string | null {
  return useSyncExternalStore(subscribe, read);
}

export function hrefOf(id: string): string {
  return `#/${encodeURIComponent(id)}`;
}

export function go(id: string | null): void {
  location.hash = id === null ? "#/" : hrefOf(id);
}
