/** Unread messages where people see them while the page is in the background: the tab's title and icon. */
import { useEffect } from "react";

export function useUnreadTitle(name: string, unread: number): void {
  useEffect(() => {
    document.title = unread ? `(${unread > 99 ? "99+" : unread}) ${name}` : name;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = unread ? "./icon-unread.svg" : "./icon.svg";
  }, [name, unread]);
}
