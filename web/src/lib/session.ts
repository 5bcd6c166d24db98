/** Who is signed in in this tab, and where the stack is. A token comes from the address's fragment, and leaves it at once. */

/** What the place that serves the page says about its stack (`config.json` beside the page). */
export interface Config {
  ws_url: string;
  http_url: string;
  /** Where a stack on one's own machine gives tokens to any name; not there on AWS. */
  tokens_url?: string;
}

export type Session = { user: string; token: () => string | Promise<string> };
type Kept = { user: string; token?: string };

const NAME = "parley.session";
const USER = /^(?!\.{1,2}$)[A-Za-z0-9_.@-]{1,128}$/;

export async function loadConfig(): Promise<Config> {
  const answer = await fetch("./config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return (await answer.json()) as Config;
}

/** `#user=alice` (on one's own machine) or `#token=…`: taken, and out of the address and the history before anything else. */
export function takeFragment(place: Location = location, past: History = history): void {
  const wanted = new URLSearchParams(place.hash.slice(1));
  const [user, token] = [wanted.get("user"), wanted.get("token")];
  if (user === null && token === null) return;
  past.replaceState(null, "", place.pathname + place.search);
  if (token !== null) signInWithToken(token);
  else if (user !== null && isUserId(user)) remember({ user });
}

export function isUserId(text: string): boolean {
  return USER.test(text);
}

export function signInAs(user: string): void {
  remember({ user });
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
  sessionStorage.removeItem(NAME);
}

/** The session of this tab, if somebody is signed in in a way that this place knows. */
export function currentSession(config: Config): Session | null {
  const kept = recall();
  if (!kept) return null;
  const { user, token } = kept;
  if (token !== undefined) return { user, token: () => token };
  return config.tokens_url ? { user, token: () => freshToken(config.tokens_url as string, user) } : null;
}

async function freshToken(url: string, user: string): Promise<string> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!answer.ok) throw new Error(`no token for ${user}: ${answer.status}`);
  return ((await answer.json()) as { token: string }).token;
}

/** The user that a token names; nothing in it is checked here. */
export function userOf(token: string): string | null {
  try {
    const middle = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(atob(middle), (c) => c.charCodeAt(0))),
    ) as Record<string, unknown>;
    const user = String(claims.user_id ?? claims.sub ?? "");
    return isUserId(user) ? user : null;
  } catch {
    return null;
  }
}

function remember(kept: Kept): void {
  sessionStorage.setItem(NAME, JSON.stringify(kept));
}

function recall(): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null") as Kept | null;
    return kept && isUserId(kept.user) ? kept : null;
  } catch {
    return null;
  }
}
