/** What failed is not asked for again at once: after a second, then two, four … thirty. */
import { useCallback, useEffect, useRef, useState } from "react";

const LONGEST = 30_000;

/** Whether to wait, and what is told of each request. */
export function useResting(): [boolean, (work: Promise<unknown>) => void] {
  const [isResting, setResting] = useState(false);
  const pause = useRef(1_000);
  useEffect(() => {
    if (!isResting) return;
    const timer = setTimeout(() => setResting(false), pause.current);
    pause.current = Math.min(2 * pause.current, LONGEST);
    return () => clearTimeout(timer);
  }, [isResting]);
  const watch = useCallback((work: Promise<unknown>) => {
    work.then(
      () => {
        pause.current = 1_000;
      },
      () => setResting(true),
    );
  }, []);
  return [isResting, watch];
}
