/** What one is about to write refers to: a message that is replied to, or one that is edited. */
import type { Message } from "@parley/client";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";

export type Reference = { kind: "reply" | "edit"; message: Message };
export interface Draft {
  reference: Reference | null;
  refer(reference: Reference | null): void;
}

const Context = createContext<Draft | null>(null);

export function useDraft(): Draft {
  const found = useContext(Context);
  if (!found) throw new Error("there is no DraftProvider above");
  return found;
}

export function DraftProvider({ children }: { children: ReactNode }) {
  const [reference, refer] = useState<Reference | null>(null);
  const value = useMemo(() => ({ reference, refer }), [reference]);
  return <Context value={value}>{children}</Context>;
}
