/** Who is at the end stays there when the list gets lower (a longer draft, a keyboard) or what is in it gets higher. */
import { type RefObject, useEffect, useRef } from "react";

/** So near to the end (px) counts as there. */
export const END = 80;

export function useStayingAtEnd(
  place: RefObject<HTMLElement | null>,
  isWanted: boolean,
  scrollToEnd: () => void,
): void {
  const latest = useRef({ isWanted, scrollToEnd });
  latest.current = { isWanted, scrollToEnd };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let isAtEnd = true;
    const look = () => {
      isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < END;
    };
    const observer = new ResizeObserver(() => {
      if (isAtEnd && latest.current.isWanted) latest.current.scrollToEnd();
    });
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [place]);
}
