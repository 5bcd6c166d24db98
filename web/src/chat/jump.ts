/** Going to another message of the conversation, and showing which it is. */
import { createContext, useContext } from "react";

export interface Jump {
  /** The message that was gone to a moment ago. */
  target: number | null;
  to(seq: number): void;
}

export const JumpContext = createContext<Jump>({ target: null, to: () => undefined });

export function useJump(): Jump {
  return useContext(JumpContext);
}
