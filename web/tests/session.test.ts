// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { token } from "../../clients/js/tests/server";
import {
  accept,
  askSession,
  type Config,
  currentSession,
  type Session,
  signOut,
  takeFragment,
} from "../src/lib/session";

const AWS: Config = { ws_url: "wss://x/prod", http_url: "https://x" };
const BACKEND: Config = { ...AWS, token_url: "https://product.example/chat-token" };
const DEMO: Config = { ...AWS, tokens_url: "/ui/token" };
const past = { replaceState: vi.fn() } as unknown as History;

function open(hash: string) {
  return takeFragment({ hash, pathname: "/ui/", search: "" } as Location, past);
}

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.unstubAllGlobals());

test("a link's token is taken, and out of the address", () => {
  expect(open(`#token=${token("alice")}`)).toBe("taken");
  expect(past.replaceState).toHaveBeenLastCalledWith(null, "", "/ui/");
  expect(currentSession(AWS)).toMatchObject({ user: "alice", isAccepted: false });
});

test.each(["#token=nonsense", "#token=", "#token=a.b.c", "#token=..", "#user=", "#user=not/a/name"])(
  "a link that holds nothing to sign in with says so, and nobody is signed in: %s",
  (hash) => {
    open("#user=bob");
    expect(open(hash)).toBe("bad_link");
    expect(past.replaceState).toHaveBeenLastCalledWith(null, "", "/ui/");
    expect(currentSession(DEMO)).toBeNull();
  },
);

test.each(["", "#", "#/dm%3Aalice%3Abob", "#top"])("an address without one is left as it is: %j", (hash) => {
  open("#user=bob");
  expect(open(hash)).toBeNull();
  expect(currentSession(DEMO)?.user).toBe("bob");
});

test("what is stored of a user counts as theirs only when a server has taken their token", () => {
  open(`#token=${token("alice")}`);
  accept(currentSession(AWS) as Session);
  expect(currentSession(AWS)?.isAccepted).toBe(true);
  open(`#token=${token("bob")}`);
  expect(currentSession(AWS)).toMatchObject({ user: "bob", isAccepted: false });
  accept({ user: "alice", token: () => "", isAccepted: false });
  expect(currentSession(AWS)?.isAccepted).toBe(false);
});

test("the backend is asked who is signed in there, with its own cookie, and for each fresh token", async () => {
  const given = [token("alice", 3_600), token("alice", 7_200)];
  const asked = vi.fn(async (_url: string, _options: RequestInit) => Response.json({ token: given.shift() }));
  vi.stubGlobal("fetch", asked);
  const [first, second] = given;
  const session = await askSession(BACKEND);
  expect(asked).toHaveBeenCalledExactlyOnceWith(BACKEND.token_url, { method: "POST", credentials: "include" });
  expect(session?.user).toBe("alice");
  expect(await session?.token()).toBe(first);
  expect(await session?.token()).toBe(second);
  expect(await currentSession(BACKEND)?.token()).toBe(second); // a reload begins with the last one
  expect(asked).toHaveBeenCalledTimes(2);
});

test("a token that ends within a minute is not begun with", async () => {
  open(`#token=${token("alice", 30)}`);
  vi.stubGlobal("fetch", async () => Response.json({ token: token("alice", 999) }));
  expect(await currentSession(BACKEND)?.token()).toBe(token("alice", 999));
});

test("whether nobody is signed in there or it does not answer are two things", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 401 }));
  await expect(askSession(BACKEND)).rejects.toMatchObject({ code: "unauthenticated", status: 401 });
  vi.stubGlobal("fetch", async () => new Response("", { status: 503 }));
  await expect(askSession(BACKEND)).rejects.toMatchObject({ code: "unavailable", retryable: true });
  expect(await askSession(AWS)).toBeNull();
});

test.each(["setItem", "getItem", "removeItem"])(
  "a browser that keeps nothing has a session for as long as the page is: %s",
  (refused) => {
    const storage = { setItem: () => {}, getItem: () => null, removeItem: () => {} };
    const refuse = () => {
      throw new DOMException("It is insecure", "SecurityError");
    };
    vi.stubGlobal("sessionStorage", { ...storage, setItem: refuse, [refused]: refuse });
    expect(open(`#token=${token("alice")}`)).toBe("taken");
    accept(currentSession(AWS) as Session);
    expect(currentSession(AWS)).toMatchObject({ user: "alice", isAccepted: true });
    signOut();
    expect(currentSession(AWS)).toBeNull();
  },
);

test("one who signs out is out where the browser takes nothing away", () => {
  open(`#token=${token("alice")}`);
  const kept = sessionStorage.getItem("parley.session");
  vi.stubGlobal("sessionStorage", {
    getItem: () => kept,
    removeItem: () => {
      throw new DOMException("It is insecure", "SecurityError");
    },
  });
  signOut();
  expect(currentSession(AWS)).toBeNull();
});

test.each([
  [{ scope: "guest" }, true],
  [{ scope: "chat guest" }, true],
  [{ scopes: ["guest", "admin"] }, true],
  [{ scope: "guests" }, false],
  [{ scopes: "guest" }, false],
  [{}, false],
])("a token says whether its user is a guest: %j", (claims, isGuest) => {
  const [head, middle, end] = token("alice").split(".");
  const all = { ...JSON.parse(Buffer.from(middle as string, "base64url").toString()), ...claims };
  open(`#token=${head}.${Buffer.from(JSON.stringify(all)).toString("base64url")}.${end}`);
  expect(currentSession(AWS)).toMatchObject({ user: "alice", isGuest });
});
