/** A browser says when it is on no network, when it is on one again, and when its page is looked at. */

export class Browser {
  private readonly nudge: () => void;

  constructor(
    private readonly cutOff: () => void,
    reconnect: () => void,
  ) {
    this.nudge = () => {
      if (document.visibilityState !== "hidden") reconnect();
    };
  }

  join(): void {
    if (typeof window === "undefined") return;
    window.addEventListener("offline", this.cutOff);
    window.addEventListener("online", this.nudge);
    document.addEventListener("visibilitychange", this.nudge);
  }

  leave(): void {
    if (typeof window === "undefined") return;
    window.removeEventListener("offline", this.cutOff);
    window.removeEventListener("online", this.nudge);
    document.removeEventListener("visibilitychange", this.nudge);
  }
}
