/** `@parley/client/more`: what an application asks for by HTTP beside the chat itself. What of it is not used is not bundled. */

export { Directory, type DirectoryOptions } from "./more/directory.js";
export { type FileToSend, type SendFilesOptions, sendFiles } from "./more/files.js";
export {
  acceptInvite,
  type ConversationChange,
  createInvite,
  decideRequest,
  type Invitation,
  type Invite,
  type InviteTerms,
  invitation,
  invites,
  type JoinRequest,
  join,
  joinRequests,
  type NewInvite,
  ownRequests,
  type Pin,
  pin,
  pins,
  type RequestChange,
  revokeInvite,
  unpin,
  updateConversation,
  withdrawRequest,
} from "./more/groups.js";
export {
  createChannel,
  findUsers,
  getUser,
  getUsers,
  joinChannel,
  type NewChannel,
  type User,
} from "./more/people.js";
export { type MadeReport, type Reason, reportMessage, reportUser } from "./more/reports.js";
