/** A line that says what has become of something, and goes by itself; readers hear it. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { asProblem, problemIn } from "../lib/problems";

const SECONDS = 5;

export interface Toasts {
  say(text: string): void;
  /** Wait for it, and say what went wrong. True if it went well. */
  trying(work: Promise<unknown>): Promise<boolean>;
}

const Context = createContext<Toasts | null>(null);
/** What is said, and the dialogs that are open: an open one has everything else inert, and so it is said in the uppermost. */
const Said = createContext<{ text: string | null; dialogs: readonly object[]; setDialogs: SetDialogs } | null>(null);
type SetDialogs = (change: (now: readonly object[]) => readonly object[]) => void;

export function useToasts(): Toasts {
  const found = useContext(Context);
  if (!found) throw new Error("there is no ToastProvider above");
  return found;
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [toast, setToast] = useState<{ text: string } | null>(null);
  const [dialogs, setDialogs] = useState<readonly object[]>([]);
  const words = useRef(t);
  words.current = t;
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => setToast(null), SECONDS * 1_000);
    return () => clearTimeout(timer);
  }, [toast]);
  const say = useCallback((text: string) => setToast({ text }), []);
  const trying = useCallback(
    async (work: Promise<unknown>) => {
      try {
        await work;
        return true;
      } catch (problem) {
        say(words.current("app.failure", { error: problemIn(words.current, asProblem(problem)) }));
        return false;
      }
    },
    [say],
  );
  const value = useMemo(() => ({ say, trying }), [say, trying]);
  const said = useMemo(() => ({ text: toast?.text ?? null, dialogs, setDialogs }), [toast, dialogs]);
  return (
    <Context value={value}>
      <Said value={said}>
        {children}
        <ToastPlace />
      </Said>
    </Context>
  );
}

/** Where it is said: one stands in the page, and one in each dialog. */
export function ToastPlace({ isDialog = false }: { isDialog?: boolean }) {
  const said = useContext(Said);
  const [self] = useState({});
  const setDialogs = said?.setDialogs;
  useEffect(() => {
    if (!isDialog || !setDialogs) return;
    setDialogs((now) => [...now, self]);
    return () => setDialogs((now) => now.filter((one) => one !== self));
  }, [isDialog, self, setDialogs]);
  const uppermost = said?.dialogs.at(-1);
  const isHere = isDialog ? uppermost === self : !uppermost;
  return (
    <div className="toasts" role="status">
      {isHere && said?.text && <p className="toast">{said.text}</p>}
    </div>
  );
}
