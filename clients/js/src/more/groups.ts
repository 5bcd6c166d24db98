/** Groups and channels beside their messages: what they say of themselves, ways in, requests, links, and what is pinned. */

import type { ParleyClient } from "../client.js";
import type {
  AddedMembers,
  ChangedMember,
  Channel,
  Conversation,
  ConversationChange,
  GroupConversation,
  Invitation,
  Invite,
  InviteTerms,
  JoinRequest,
  Member,
  MemberChange,
  NewInvite,
  Pin,
  PinChange,
  RequestChange,
  SingleMessage,
  NewGroup as WholeNewGroup,
} from "../generated/http.js";
import type { Asking, Telling } from "./people.js";

export type { ConversationChange, Invitation, Invite, InviteTerms, JoinRequest, Member, NewInvite, Pin, RequestChange };
/** With a `client_conversation_id` of your own it is safe to try again. */
export type NewGroup = Omit<WholeNewGroup, "type">;

type Noting = Telling & Partial<Pick<ParleyClient, "note">>;
type Joining = Asking & { readonly userId: string | null };

/** What has changed while it was asked for is asked for again, so often. */
const MOST_TRIES = 3;
const AT = "/v1/conversations/{conversation_id}";
const at = (conversation_id: string) => ({ path: { conversation_id } });

/** The id of the private conversation with a user, which exists from now on. */
export async function createPrivate({ api }: Asking, user: string): Promise<string> {
  return (await api.post("/v1/conversations", { body: { type: "private", with: user } })).id;
}

/** A group, with the own user as its owner. */
export async function createGroup({ api }: Asking, group: NewGroup): Promise<GroupConversation> {
  return (await api.post("/v1/conversations", { body: { type: "group", ...group } })) as GroupConversation;
}

/** Be no member any more; a private one goes out of the inbox until something is said in it. */
export function leave({ api }: Asking, id: string): Promise<undefined> {
  return api.delete(AT, at(id));
}

/** Who is in it, with their roles and how far each has read. Of a channel, the first thousand. */
export async function members({ api }: Asking, id: string): Promise<Member[]> {
  return (await api.get(`${AT}/members`, at(id))).members;
}

/** At most 100 users; who is a member already is no error. */
export function addMembers({ api }: Asking, id: string, users: readonly string[]): Promise<AddedMembers> {
  return api.post(`${AT}/members`, { ...at(id), body: { users: [...users] } });
}

/** A member's role, or what hangs on them (`data`; null takes it away). */
export function updateMember({ api }: Asking, id: string, user_id: string, body: MemberChange): Promise<ChangedMember> {
  return api.patch(`${AT}/members/{user_id}`, { path: { conversation_id: id, user_id }, body });
}

export function removeMember({ api }: Asking, id: string, user_id: string): Promise<undefined> {
  return api.delete(`${AT}/members/{user_id}`, { path: { conversation_id: id, user_id } });
}

/** One message, as it is now. */
export function message({ api }: Asking, id: string, seq: number): Promise<SingleMessage> {
  return api.get(`${AT}/messages/{seq}`, { path: { conversation_id: id, seq } });
}

/** Name, topic, avatar, data, how one joins: what is left out stays, null takes it away. */
export function updateConversation({ api }: Asking, id: string, change: ConversationChange): Promise<Conversation> {
  return api.patch(AT, { ...at(id), body: change });
}

/** Come into an open group or channel. Of a group that takes requests: ask; then there is a `status`. Safe to repeat. */
export function join({ api, userId }: Joining, id: string): Promise<Channel | RequestChange> {
  return api.put(`${AT}/members/{user_id}`, { path: { conversation_id: id, user_id: userId ?? "" } });
}

/** Who wants to come in, the longest waiting first. For owners and admins; on `join_request` events it changes. */
export async function joinRequests({ api }: Asking, id: string): Promise<JoinRequest[]> {
  return (await api.get(`${AT}/requests`, at(id))).requests;
}

export function decideRequest(
  { api }: Asking,
  id: string,
  user_id: string,
  status: "accepted" | "declined",
): Promise<RequestChange> {
  return api.patch(`${AT}/requests/{user_id}`, { path: { conversation_id: id, user_id }, body: { status } });
}

/** One's own that wait. */
export async function ownRequests({ api }: Asking): Promise<JoinRequest[]> {
  return (await api.get("/v1/requests")).requests;
}

export function withdrawRequest({ api, userId }: Joining, id: string): Promise<undefined> {
  return api.delete(`${AT}/requests/{user_id}`, { path: { conversation_id: id, user_id: userId ?? "" } });
}

/** A link: its `token` is shown this once. Good for a week, unless said otherwise. */
export function createInvite({ api }: Asking, id: string, terms: InviteTerms = {}): Promise<NewInvite> {
  return api.post(`${AT}/invites`, { ...at(id), body: terms });
}

export async function invites({ api }: Asking, id: string): Promise<Invite[]> {
  return (await api.get(`${AT}/invites`, at(id))).invites;
}

export function revokeInvite({ api }: Asking, id: string, invite_id: string): Promise<undefined> {
  return api.delete(`${AT}/invites/{invite_id}`, { path: { conversation_id: id, invite_id } });
}

/** Where a link leads. */
export function invitation({ api }: Asking, token: string): Promise<Invitation> {
  return api.get("/v1/invites/{invite_token}", { path: { invite_token: token } });
}

export function acceptInvite({ api }: Asking, token: string): Promise<Channel> {
  return api.post("/v1/invites/{invite_token}", { path: { invite_token: token } });
}

/** What is pinned, as it is now, the latest pin first. From then on `client.conversation(id).pins` has it, and follows. */
export async function pins(client: Noting, id: string): Promise<Pin[]> {
  for (let tries = 1; ; tries++) {
    let isSame = true;
    const stop = client.on?.("entry", (entry) => {
      if (entry.conversation_id === id && entry.type !== "new_message") isSame = false;
    });
    try {
      const found = (await client.api.get(`${AT}/pins`, at(id))).pins;
      if (isSame) client.note?.(id, { pins: found });
      if (isSame || tries === MOST_TRIES) return found;
    } finally {
      stop?.();
    }
  }
}

/** What one's role may there: names of the protocol's table, of which those count that one knows. Kept like the pins. */
export async function may(client: Noting, id: string): Promise<readonly string[]> {
  const { permissions } = await client.api.get(AT, at(id));
  client.note?.(id, { permissions });
  return permissions;
}

export function pin({ api }: Asking, id: string, seq: number): Promise<PinChange> {
  return api.put(`${AT}/pins/{seq}`, { path: { conversation_id: id, seq } });
}

export function unpin({ api }: Asking, id: string, seq: number): Promise<PinChange> {
  return api.delete(`${AT}/pins/{seq}`, { path: { conversation_id: id, seq } });
}
