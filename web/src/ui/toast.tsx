/** A line that says what has become of something, and goes by itself; readers hear it. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { useI18n } from "../i18n";

const SECONDS = 5;

export interface Toasts {
  say(text: string): void;
  /** Wait for it, and say what went wrong. True if it went well. */
  trying(work: Promise<unknown>): Promise<boolean>;
}

const Context = createContext<Toasts | null>(null);

export function useToasts(): Toasts {
  const found = useContext(Context);
  if (!found) throw new Error("there is no ToastProvider above");
  return found;
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [toast, setToast] = useState<{ text: string } | null>(null);
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
        say(t("app.failure", { error: problem instanceof Error ? problem.message : String(problem) }));
        return false;
      }
    },
    [say, t],
  );
  const value = useMemo(() => ({ say, trying }), [say, trying]);
  return (
    <Context value={value}>
      {children}
      <div className="toasts" role="status">
        {toast && (
          <p className="toast" dir="auto">
            {toast.text}
          </p>
        )}
      </div>
    </Context>
  );
}
