/** Pushes to this browser: asked for at a button, registered as a device, and given up where the user signs out. */
import type { ParleyClient, ParleyError } from "@parley/client";
import { keepSetting, setting } from "./kept";
import { go } from "./route";

const WORKER = "./push-worker.js";

export function canBePushed(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** One for each user of this browser. */
function deviceOf(user: string): string {
  const name = `device ${user}`;
  const known = setting(name);
  if (known) return known;
  const made = `web-${crypto.randomUUID()}`;
  keepSetting(name, made);
  return made;
}

/** Whether pushes of this user come here. */
export async function isPushed(user: string): Promise<boolean> {
  if (!canBePushed() || setting(`push ${user}`) !== "on") return false;
  const registration = await navigator.serviceWorker.getRegistration();
  return Notification.permission === "granted" && (await registration?.pushManager.getSubscription()) != null;
}

/** "refused": by the user, or the browser; "none": this stack pushes to no browser. */
export async function push(client: ParleyClient, user: string): Promise<"on" | "refused" | "none"> {
  const { api } = client;
  const key = await api.get("/v1/push/web-key").catch((error: ParleyError) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!key) return "none";
  if ((await Notification.requestPermission()) !== "granted") return "refused";
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key.public_key });
  const { endpoint, keys } = made.toJSON();
  const body = {
    platform: "web",
    endpoint: endpoint ?? "",
    keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" },
  };
  await api.put("/v1/devices/{device_id}", { path: { device_id: deviceOf(user) }, body: body as never });
  keepSetting(`push ${user}`, "on");
  return "on";
}

/** No pushes of this user come here any more. */
export async function unpush(client: ParleyClient, user: string): Promise<void> {
  if (setting(`push ${user}`) !== "on") return;
  keepSetting(`push ${user}`, "off");
  await client.api.delete("/v1/devices/{device_id}", { path: { device_id: deviceOf(user) } });
}

/** A push that was clicked opens its chat in the page that is there. */
export function followPushes(): () => void {
  if (!canBePushed()) return () => undefined;
  const open = ({ data }: MessageEvent<{ type?: string; conversation_id?: unknown }>) => {
    if (data?.type === "open" && typeof data.conversation_id === "string") go(data.conversation_id);
  };
  navigator.serviceWorker.addEventListener("message", open);
  return () => navigator.serviceWorker.removeEventListener("message", open);
}
