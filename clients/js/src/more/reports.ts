/** Telling the team's moderators of a message or a user. Who is reported is told nothing. */

import type { MadeReport } from "../generated/http.js";
import type { Asking } from "./people.js";

export type { MadeReport };
/** Why, in one line of up to 100 characters, and in more words where there are any. */
export type Reason = { reason: string; comment?: string };

/** A message is reported once: again, it resolves with the first report. */
export function reportMessage({ api }: Asking, conversation_id: string, seq: number, why: Reason): Promise<MadeReport> {
  return api.post("/v1/reports", { body: { conversation_id, seq, ...why } });
}

/** A user is reported once at a time. */
export function reportUser({ api }: Asking, user_id: string, why: Reason): Promise<MadeReport> {
  return api.post("/v1/reports", { body: { user_id, ...why } });
}
