/** What one is about to write, and what it refers to: a message that is replied to, or one that is edited. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { type Draft, draftOf, keepDraft, type Reference, referring } from "../lib/drafts";
import { usePeople } from "../lib/names";
import { useEscape } from "../ui/use-escape";

export interface Drafting {
  draft: Draft;
  setDraft(next: Draft | ((now: Draft) => Draft)): void;
  /** Null: nothing any more. */
  refer(reference: Reference | null): void;
}

const Context = createContext<Drafting | null>(null);

export function useDraft(): Drafting {
  const found = useContext(Context);
  if (!found) throw new Error("there is no DraftProvider above");
  return found;
}

export function DraftProvider({ id, children }: { id: string; children: ReactNode }) {
  const { me } = usePeople();
  const [draft, setDraft] = useState(() => draftOf(me, id));
  useEffect(() => keepDraft(me, id, draft), [me, id, draft]);
  const value = useMemo(
    () => ({ draft, setDraft, refer: (next: Reference | null) => setDraft((now) => referring(now, next)) }),
    [draft],
  );
  useEscape(draft.reference !== undefined, () => value.refer(null));
  return <Context value={value}>{children}</Context>;
}
