/**
 * A browser says when it is on no network, when it is on one again, when its page is looked at, and when it is not any more. Returns
 * how to hear of it no more.
 */
export function joinBrowser(cutOff: () => void, reconnect: () => void, hide: () => void): () => void {
  if (typeof window === "undefined") return () => {};
  const nudge = () => {
    if (document.visibilityState !== "hidden") reconnect();
    else hide();
  };
  const heard = [
    [window, "offline", cutOff],
    [window, "online", nudge],
    [document, "visibilitychange", nudge],
  ] as const;
  for (const [where, what, how] of heard) where.addEventListener(what, how);
  return () => {
    for (const [where, what, how] of heard) where.removeEventListener(what, how);
  };
}
