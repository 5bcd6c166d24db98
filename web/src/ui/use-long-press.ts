/** Holding a finger on something is what opens its menu, where there is no pointer to point with. */
import { type PointerEvent, type SyntheticEvent, useCallback, useEffect, useRef } from "react";

const LONG_MS = 450;
/** A finger that has moved so far (px) scrolls. */
const STILL = 10;

export function useLongPress(onLong: () => void) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const isLong = useRef(false);
  const end = useCallback(() => {
    if (press.current) clearTimeout(press.current.timer);
    press.current = null;
  }, []);
  useEffect(() => end, [end]);
  const take = (event: SyntheticEvent) => {
    if (isLong.current) event.preventDefault();
  };
  return {
    onPointerDown: ({ pointerType, isPrimary, clientX: x, clientY: y, target }: PointerEvent) => {
      end();
      isLong.current = false;
      if (pointerType !== "touch" || !isPrimary || (target as Element).closest("button, a")) return;
      const timer = setTimeout(() => {
        isLong.current = true;
        onLong();
      }, LONG_MS);
      press.current = { timer, x, y };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      if (press.current && Math.hypot(clientX - press.current.x, clientY - press.current.y) > STILL) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    // No click follows, which would close what has just opened; nor does the browser open a menu of its own.
    onTouchEnd: take,
    onContextMenu: take,
  };
}
