/** What the page asks of the HTTP API beside what the client does by itself: groups, settings, contacts, blocks, reminders. */
import type { InboxItem, Message, ParleyClient } from "@parley/client";

export type Role = "owner" | "admin" | "member";
export type Member = { user_id: string; role: Role; joined_at: number; read_seq: number; delivered_seq: number };
export type Contact = { user_id: string; status: "requested" | "incoming" | "accepted"; alias: string | null; since: number };
export type Reminder = { reminder_id: string; conversation_id: string; seq: number; at: number };
export type Settings = Partial<Pick<InboxItem, "muted_until" | "notify" | "pinned" | "archived">>;
export type Receipts = { members: number; delivered: number; read: number };

/** The private conversation of two users: both can name it without asking. */
export function privateId(one: string, other: string): string {
  return `dm:${[one, other].sort((a, b) => (a < b ? -1 : 1)).join(":")}`;
}

export function server({ api }: ParleyClient) {
  const at = "/v1/conversations/{id}" as const;
  return {
    begin: async (user: string) => (await api.post("/v1/conversations", { body: { type: "private", with: user } })).id,
    createGroup: async (name: string, members: string[], id: string) =>
      (await api.post("/v1/conversations", { body: { type: "group", name, members, client_conversation_id: id } })).id,
    conversation: (id: string) => api.get(at, { path: { id } }) as Promise<InboxItem>,
    rename: (id: string, name: string) => api.patch(at, { path: { id }, body: { name } }),
    leave: (id: string) => api.delete(at, { path: { id } }),
    settings: (id: string, body: Settings) => api.patch(`${at}/settings`, { path: { id }, body }),
    members: async (id: string) => (await api.get(`${at}/members`, { path: { id } })).members as Member[],
    addMembers: (id: string, users: string[]) => api.post(`${at}/members`, { path: { id }, body: { users } }),
    setRole: (id: string, user_id: string, role: Role) =>
      api.patch(`${at}/members/{user_id}`, { path: { id, user_id }, body: { role } }),
    remove: (id: string, user_id: string) => api.delete(`${at}/members/{user_id}`, { path: { id, user_id } }),
    message: (id: string, seq: number) =>
      api.get(`${at}/messages/{seq}`, { path: { id, seq } }) as Promise<Message & { receipts?: Receipts }>,
    remind: (id: string, seq: number, when: number) =>
      api.post(`${at}/messages/{seq}/reminders`, { path: { id, seq }, body: { at: when } }),
    reminders: async () => (await api.get("/v1/reminders")).reminders as Reminder[],
    cancelReminder: (reminder_id: string) => api.delete("/v1/reminders/{reminder_id}", { path: { reminder_id } }),
    contacts: async () => (await api.get("/v1/contacts")).contacts as Contact[],
    askContact: (user_id: string) => api.post("/v1/contacts", { body: { user_id } }),
    changeContact: (user_id: string, body: { status?: "accepted"; alias?: string | null }) =>
      api.patch("/v1/contacts/{user_id}", { path: { user_id }, body }),
    endContact: (user_id: string) => api.delete("/v1/contacts/{user_id}", { path: { user_id } }),
    blocks: async () => (await api.get("/v1/blocks")).blocks as string[],
    block: (user_id: string) => api.put("/v1/blocks/{user_id}", { path: { user_id } }),
    unblock: (user_id: string) => api.delete("/v1/blocks/{user_id}", { path: { user_id } }),
    me: () => api.get("/v1/me") as Promise<{ hide_presence: boolean }>,
    hidePresence: (hide_presence: boolean) => api.put("/v1/me", { body: { hide_presence } }),
  };
}
