export type { ClientOptions } from "./base.js";
export { ParleyClient } from "./client.js";
export type { Settings } from "./core/settings.js";
export { ParleyError } from "./errors.js";
export type * as Frames from "./generated/frames.js";
export type { ConversationUpdated, MemberAdded, MemberRemoved } from "./generated/frames.js";
export type * as Http from "./generated/http.js";
export type { Api } from "./http.js";
export type { WebSocketLike } from "./shell/transport.js";
export { indexedDBStore } from "./store/indexeddb.js";
export { memoryStore } from "./store/memory.js";
export type {
  Batch,
  ChangeEntry,
  Loaded,
  Range,
  Save,
  Saved,
  SavedConversation,
  SavedCursor,
  SavedMessage,
  SavedMeta,
  Store,
  StoredItem,
  StoredRow,
} from "./store/store.js";
export type * from "./types.js";
