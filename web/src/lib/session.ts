/** Who is signed in in this tab, and where the stack is. A token comes from the address's fragment, and leaves it at once. */

import { ParleyError } from "@parley/client";
import { keep, keptIn } from "./kept";

/** What the place that serves the page says about its stack (`config.json` beside the page). */
export interface Config {
  ws_url: string;
  http_url: string;
  /** Where a stack on one's own machine gives tokens to any name; not there on AWS. */
  tokens_url?: string;
  /** Where a product's backend gives a token to the user that its own cookie names. */
  token_url?: string;
}

export type Session = { user: string; token: () => string | Promise<string>; isAccepted: boolean; isGuest?: boolean };
/** `accepted`: a server has taken this session in this tab. Before that nothing that is stored of the user is shown. */
type Kept = { user: string; token?: string; accepted?: boolean };
/** Why somebody has to sign in. */
export type Refused = "ended" | "bad_link" | "not_accepted" | "no_token" | "banned";

const NAME = "parley.session";
const USER = /^(?!\.{1,2}$)[A-Za-z0-9_.@-]{1,128}$/;

export async function loadConfig(): Promise<Config> {
  const answer = await fetch("./config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return (await answer.json()) as Config;
}

/**
 * `#user=alice` (on one's own machine) or `#token=…`: taken, and out of the address and the history before anything else. Whoever
 * was signed in in this tab is not any more. Null: there was nothing to take.
 */
export function takeFragment(place: Location = location, past: History = history): "taken" | "bad_link" | null {
  const wanted = new URLSearchParams(place.hash.slice(1));
  const [user, token] = [wanted.get("user"), wanted.get("token")];
  if (user === null && token === null) return null;
  past.replaceState(null, "", place.pathname + place.search);
  signOut();
  const isGood = token === null ? user !== null && isUserId(user) && signInAs(user) : signInWithToken(token);
  return isGood ? "taken" : "bad_link";
}

export function isUserId(text: string): boolean {
  return USER.test(text);
}

export function signInAs(user: string): true {
  remember({ user });
  return true;
}

/** False where the text is no token. Whether a token is good is the server's to say. */
export function signInWithToken(text: string): boolean {
  const token = text.trim();
  const user = userOf(token);
  if (user === null) return false;
  remember({ user, token });
  return true;
}

export function signOut(): void {
  keep(NAME, null);
}

/** The session of this tab, if somebody is signed in in a way that this place knows. */
export function currentSession(config: Config): Session | null {
  const kept = recall();
  if (!kept) return null;
  const { user, token, accepted: isAccepted = false } = kept;
  const { tokens_url: demo, token_url: backend } = config;
  if (token !== undefined) {
    return { user, token: backend ? renewed(token, backend) : () => token, isAccepted, isGuest: isGuests(token) };
  }
  return demo ? { user, token: () => tokenFrom(demo, JSON.stringify({ user })), isAccepted } : null;
}

/** Asks the product's backend, where there is one, who is signed in there. Rejects where nobody is. */
export async function askSession(config: Config): Promise<Session | null> {
  if (!config.token_url) return null;
  const token = await tokenFrom(config.token_url);
  return signInWithToken(token) ? currentSession(config) : null;
}

/** The server has taken it: from now on what is stored may be shown before there is a connection. */
export function accept({ user }: Session): void {
  const kept = recall();
  if (kept?.user === user) remember({ ...kept, accepted: true });
}

/** The token that is there, and then those that the backend gives. */
function renewed(first: string, url: string): () => string | Promise<string> {
  const left = Number(claimsOf(first).exp ?? 0) * 1_000 - Date.now();
  let given = left > 60_000 ? first : null;
  return async () => {
    const token = given ?? (await tokenFrom(url));
    given = null;
    const kept = recall();
    if (kept && userOf(token) === kept.user) remember({ ...kept, token });
    return token;
  };
}

async function tokenFrom(url: string, body?: string): Promise<string> {
  const answer = await fetch(url, {
    method: "POST",
    ...(body === undefined ? { credentials: "include" } : { body, headers: { "content-type": "application/json" } }),
  });
  if (answer.ok) return ((await answer.json()) as { token: string }).token;
  const isOver = answer.status === 401 || answer.status === 403;
  const code = isOver ? "unauthenticated" : "unavailable";
  throw new ParleyError(code, `No token could be had: ${answer.status}`, !isOver, undefined, answer.status);
}

/** The user that a token names; nothing in it is checked here. */
export function userOf(token: string): string | null {
  const claims = claimsOf(token);
  const user = String(claims.user_id ?? claims.sub ?? "");
  return isUserId(user) ? user : null;
}

/** Whether a token gives a guest's rights: the server reads its scopes likewise. */
function isGuests(token: string): boolean {
  const { scope, scopes } = claimsOf(token);
  const listed = Array.isArray(scopes) ? scopes.map(String) : [];
  return [...String(scope ?? "").split(" "), ...listed].includes("guest");
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const middle = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(middle), (c) => c.charCodeAt(0))));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function remember(kept: Kept): void {
  keep(NAME, kept);
}

function recall(): Kept | null {
  const kept = keptIn<Kept>(NAME);
  return kept && isUserId(kept.user) ? kept : null;
}
