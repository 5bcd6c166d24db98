/** What was begun to write in each conversation, kept as long as the page is open. */
import { type Dispatch, type SetStateAction, useEffect, useState } from "react";

const drafts = new Map<string, string>();

export function useKeptDraft(id: string): [string, Dispatch<SetStateAction<string>>] {
  const [text, setText] = useState(() => drafts.get(id) ?? "");
  useEffect(() => {
    if (text) drafts.set(id, text);
    else drafts.delete(id);
  }, [id, text]);
  return [text, setText];
}
