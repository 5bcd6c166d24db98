/** What the page asks of the HTTP API beside what the client does by itself: groups, settings, contacts, blocks, reminders. */
import type { Http, InboxItem, ParleyClient } from "@parley/client";

export type Member = Http.Member;
export type Role = Member["role"];
export type Contact = Http.Contact;
export type Reminder = Http.ReminderAnswer;
export type Settings = Partial<Pick<InboxItem, "muted_until" | "notify" | "pinned" | "archived">>;

/** The private conversation of two users: both can name it without asking. */
export function privateId(one: string, other: string): string {
  return `dm:${[one, other].sort((a, b) => (a < b ? -1 : 1)).join(":")}`;
}

export function server({ api }: ParleyClient) {
  const at = "/v1/conversations/{conversation_id}" as const;
  return {
    begin: async (user: string) => (await api.post("/v1/conversations", { body: { type: "private", with: user } })).id,
    createGroup: async (group: Omit<Http.NewGroup, "type">) =>
      (await api.post("/v1/conversations", { body: { type: "group", ...group } })).id,
    conversation: (id: string) => api.get(at, { path: { conversation_id: id } }),
    rename: (id: string, name: string) => api.patch(at, { path: { conversation_id: id }, body: { name } }),
    leave: (id: string) => api.delete(at, { path: { conversation_id: id } }),
    settings: (id: string, body: Settings) => api.patch(`${at}/settings`, { path: { conversation_id: id }, body }),
    members: async (id: string) => (await api.get(`${at}/members`, { path: { conversation_id: id } })).members,
    addMembers: (id: string, users: string[]) =>
      api.post(`${at}/members`, { path: { conversation_id: id }, body: { users } }),
    setRole: (id: string, user_id: string, role: Role) =>
      api.patch(`${at}/members/{user_id}`, { path: { conversation_id: id, user_id }, body: { role } }),
    remove: (id: string, user_id: string) =>
      api.delete(`${at}/members/{user_id}`, { path: { conversation_id: id, user_id } }),
    message: (id: string, seq: number) => api.get(`${at}/messages/{seq}`, { path: { conversation_id: id, seq } }),
    remind: (id: string, seq: number, when: number) =>
      api.post(`${at}/messages/{seq}/reminders`, { path: { conversation_id: id, seq }, body: { at: when } }),
    reminders: async () => (await api.get("/v1/reminders")).reminders,
    cancelReminder: (reminder_id: string) => api.delete("/v1/reminders/{reminder_id}", { path: { reminder_id } }),
    contacts: async () => (await api.get("/v1/contacts")).contacts,
    askContact: (user_id: string) => api.post("/v1/contacts", { body: { user_id } }),
    changeContact: (user_id: string, body: { status?: "accepted"; alias?: string | null }) =>
      api.patch("/v1/contacts/{user_id}", { path: { user_id }, body }),
    endContact: (user_id: string) => api.delete("/v1/contacts/{user_id}", { path: { user_id } }),
    blocks: async () => (await api.get("/v1/blocks")).blocks,
    block: (user_id: string) => api.put("/v1/blocks/{user_id}", { path: { user_id } }),
    unblock: (user_id: string) => api.delete("/v1/blocks/{user_id}", { path: { user_id } }),
    me: () => api.get("/v1/me"),
    hidePresence: (hide_presence: boolean) => api.put("/v1/me", { body: { hide_presence } }),
  };
}
