/** What a user has of their own: profile, an export of their data, settings of conversations, contacts, blocks, devices, reminders. */

import type {
  ApnsDevice,
  Contact,
  DeviceAnswer,
  Export,
  FcmDevice,
  Job,
  Profile,
  ProfileChange,
  ReminderAnswer,
  Settings,
  SettingsChange,
  WebDevice,
} from "../generated/http.js";
import { type Asking, orNull } from "./people.js";

export type { Contact, Export, Job, Profile, ProfileChange, Settings, SettingsChange };
export type Device = DeviceAnswer;
export type NewDevice = FcmDevice | ApnsDevice | WebDevice;
export type Reminder = ReminderAnswer;

export function me({ api }: Asking): Promise<Profile> {
  return api.get("/v1/me");
}

/** What is left out stays, null clears. `mail`: which mails about missed messages come, all, mentions or off. */
export function updateMe({ api }: Asking, change: ProfileChange): Promise<Profile> {
  return api.put("/v1/me", { body: change });
}

/** Have all that is stored of the user collected: once a day, and the one that runs while it does. */
export function exportMe({ api }: Asking): Promise<Job> {
  return api.post("/v1/me/export");
}

/** Where that is, with links to its objects once it is done; null where none was begun. */
export function myExport({ api }: Asking, cursor?: string): Promise<Export | null> {
  return orNull(api.get("/v1/me/export", { query: cursor === undefined ? {} : { cursor } }));
}

/** Muted, pinned, archived, what one is told of: for oneself alone. What is left out stays. */
export function updateSettings({ api }: Asking, conversation_id: string, change: SettingsChange): Promise<Settings> {
  return api.patch("/v1/conversations/{conversation_id}/settings", { path: { conversation_id }, body: change });
}

export async function contacts({ api }: Asking): Promise<Contact[]> {
  return (await api.get("/v1/contacts")).contacts;
}

export function requestContact({ api }: Asking, user_id: string): Promise<Contact> {
  return api.post("/v1/contacts", { body: { user_id } });
}

export function acceptContact({ api }: Asking, user_id: string): Promise<Contact> {
  return api.patch("/v1/contacts/{user_id}", { path: { user_id }, body: { status: "accepted" } });
}

/** What the user calls them; null: as they call themselves. */
export function renameContact({ api }: Asking, user_id: string, alias: string | null): Promise<Contact> {
  return api.patch("/v1/contacts/{user_id}", { path: { user_id }, body: { alias } });
}

/** End it, decline what is asked, or withdraw what was. Safe to repeat. */
export function removeContact({ api }: Asking, user_id: string): Promise<undefined> {
  return api.delete("/v1/contacts/{user_id}", { path: { user_id } });
}

export async function blocks({ api }: Asking): Promise<string[]> {
  return (await api.get("/v1/blocks")).blocks;
}

export function block({ api }: Asking, user_id: string): Promise<undefined> {
  return api.put("/v1/blocks/{user_id}", { path: { user_id } });
}

export function unblock({ api }: Asking, user_id: string): Promise<undefined> {
  return api.delete("/v1/blocks/{user_id}", { path: { user_id } });
}

/** Those that pushes go to, the latest registered first. */
export async function devices({ api }: Asking): Promise<Device[]> {
  return (await api.get("/v1/devices")).devices;
}

/** Send the user's pushes there, too. Safe to repeat, and good to: at each start of the app. */
export function registerDevice({ api }: Asking, device_id: string, device: NewDevice): Promise<Device> {
  return api.put("/v1/devices/{device_id}", { path: { device_id }, body: device });
}

/** No more pushes to it: at signing out. Safe to repeat. */
export function forgetDevice({ api }: Asking, device_id: string): Promise<undefined> {
  return api.delete("/v1/devices/{device_id}", { path: { device_id } });
}

/** With what a browser subscribes to pushes; null where this deployment sends none to browsers. */
export async function webKey({ api }: Asking): Promise<string | null> {
  return (await orNull(api.get("/v1/push/web-key")))?.public_key ?? null;
}

/** Be told of a message again at a moment (ms). Safe to repeat. */
export function remind({ api }: Asking, conversation_id: string, seq: number, at: number): Promise<Reminder> {
  const path = { conversation_id, seq };
  return api.post("/v1/conversations/{conversation_id}/messages/{seq}/reminders", { path, body: { at } });
}

/** Those that wait, the next one first. */
export async function reminders({ api }: Asking): Promise<Reminder[]> {
  return (await api.get("/v1/reminders")).reminders;
}

export function cancelReminder({ api }: Asking, reminder_id: string): Promise<undefined> {
  return api.delete("/v1/reminders/{reminder_id}", { path: { reminder_id } });
}
