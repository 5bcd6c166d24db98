/** What never answers, or not any more: the client says so, and does not wait for it. */

import { expect, test } from "vitest";
import { memoryStore } from "../src/index.js";
import { BOTH, DM, Harness, shown } from "./harness.js";
import { token, until } from "./server.js";

const harness = new Harness();
const never = () => new Promise<never>(() => {});
const quickly = { answerTimeout: 50, backoffFirst: 20, backoffLimit: 20 };
const refusal = { success: false, code: "token_expired", error: "It has ended", retryable: false };

test("a store that can't be read ends the client, which says why, and can be started again", async () => {
  const store = memoryStore();
  const { load } = store;
  store.load = () => Promise.reject(new Error("the disk is gone"));
  const alice = harness.client({ store });
  await expect(alice.connected()).rejects.toMatchObject({ code: "not_saved" });
  expect(alice.connection()).toMatchObject({ state: "ended", code: "not_saved" });
  expect(alice.connection().reason).toContain("the disk is gone");
  await expect(alice.start()).rejects.toMatchObject({ code: "not_saved" });
  expect(() => alice.send({ to: "bob" }, "hi")).toThrow("Start the client first");
  store.load = load;
  await alice.connected();
  await alice.send({ to: "bob" }, "hi").stored;
});

test("a store that throws, or never answers, is one that can't be read", async () => {
  const throws = memoryStore();
  throws.load = () => {
    throw new Error("no such thing");
  };
  await expect(harness.client({ store: throws }).connected()).rejects.toMatchObject({ code: "not_saved" });
  const silent = memoryStore();
  silent.load = never;
  const alice = harness.client({ store: silent, settings: quickly });
  await expect(alice.connected()).rejects.toMatchObject({ code: "not_saved" });
  expect(alice.connection().state).toBe("ended");
});

test("who waits while another user's store is found hears of it, each time", async () => {
  const store = memoryStore();
  const alice = harness.client({ store });
  await alice.connected();
  await alice.close();
  const bob = harness.client({ store, token: token("bob") });
  await expect(bob.connected()).rejects.toMatchObject({ code: "wrong_user" });
  await expect(bob.connected()).rejects.toMatchObject({ code: "wrong_user" });
});

test("a timeline that could not be read is read when it is asked for again", async () => {
  harness.server.say(DM, "bob", "hello", ["alice", "bob"]);
  const store = memoryStore();
  const { items } = store;
  const alice = harness.client({ store });
  await alice.connected();
  store.items = () => Promise.reject(new Error("for the moment"));
  await expect(alice.jumpToLatest(DM)).rejects.toThrow("for the moment");
  store.items = items;
  await alice.jumpToLatest(DM);
  expect(shown(alice)).toEqual([["hello", "sent"]]);
});

test("a token function that never answers is asked again", async () => {
  let asked = 0;
  const alice = harness.client({ token: () => (++asked < 3 ? never() : token("alice")), settings: quickly });
  const states: string[] = [];
  alice.subscribe("connection", () => states.push(alice.connection().reason ?? alice.connection().state));
  await alice.connected();
  expect(asked).toBe(3);
  expect(states.filter((each) => each === "The token did not come in time")).toHaveLength(2);
});

test("a token function that throws, or gives none, is asked again", async () => {
  const given = [() => Promise.reject(new Error("offline")), () => "", () => undefined as unknown as string];
  const alice = harness.client({ token: () => (given.shift() ?? (() => `${token("alice")}\n`))(), settings: quickly });
  await alice.connected();
  expect(alice.userId).toBe("alice");
});

test("a ticket that never comes is asked for again", async () => {
  let asked = 0;
  const slowly: typeof fetch = (input, init) => (++asked < 3 ? never() : fetch(input, init));
  const alice = harness.client({ byTicket: true, fetch: slowly, settings: quickly });
  await alice.connected();
  expect(asked).toBeGreaterThanOrEqual(3);
});

test("an answer that is not the server's is none", async () => {
  const { server } = harness;
  const pages = [() => "<html>sign in to the network</html>", () => [], () => null, () => ({})];
  server.routes.set("POST /v1/tickets", () => {
    const page = pages.shift();
    return { status: 200, body: page === undefined ? { ticket: "alice" } : page() };
  });
  const reasons = new Set<string>();
  const alice = harness.client({ byTicket: true, settings: quickly });
  alice.subscribe("connection", () => reasons.add(alice.connection().reason ?? ""));
  await alice.connected();
  expect(pages).toEqual([]);
  expect(reasons).toContain("The answer is not the server's");
  expect(reasons).toContain("The answer has no ticket");
  expect(server.sockets.map((each) => each.user)).toEqual(["alice"]);
});

test("an answer over HTTP that never comes fails as a timeout, and a signal calls it off", async () => {
  const aborted: unknown[] = [];
  const silent: typeof fetch = (_, init) => {
    init?.signal?.addEventListener("abort", () => aborted.push(init.signal));
    return never();
  };
  const alice = harness.client({ fetch: silent, settings: quickly });
  await expect(alice.api.get("/v1/me")).rejects.toMatchObject({ code: "timeout", retryable: true });
  expect(aborted).toHaveLength(1);
  const { signal } = { signal: AbortSignal.abort() };
  const real = harness.client();
  await expect(real.api.get("/v1/me", { signal })).rejects.toMatchObject({ code: "aborted" });
});

test("the end of a token that is the only one is noticed at once, and told", async () => {
  const given = token("alice", 2);
  const ends = JSON.parse(atob(given.split(".")[1] ?? "")).exp * 1_000;
  harness.server.onFrame = (frame) => (frame.type === "ping" && Date.now() >= ends ? refusal : undefined);
  const alice = harness.client({ token: given });
  await alice.connected();
  await until(() => alice.connection().state === "ended");
  expect(alice.connection()).toMatchObject({
    code: "token_expired",
    reason: "The token has ended, and there is no other",
  });
  expect(harness.server.frames.filter((frame) => frame.type === "ping").length).toBeLessThan(3);
  expect(() => alice.send({ to: "bob" }, "hi")).toThrow("The token has ended");
});

test("a token that had ended before the handshake says so, too", async () => {
  const answer = { code: "unauthenticated", error: "No", retryable: false };
  harness.server.routes.set("POST /v1/tickets", () => ({ status: 401, body: answer }));
  const alice = harness.client({ byTicket: true, token: token("alice", -5) });
  await expect(alice.connected()).rejects.toMatchObject({ code: "token_expired" });
});

test("who waits for what the store could not keep is told", async () => {
  const store = memoryStore();
  const { write } = store;
  const alice = harness.client({ store });
  await alice.connected();
  await alice.send({ to: "bob" }, "one").stored;
  harness.server.onFrame = (frame) => {
    if (frame.type === "message") store.write = () => Promise.reject(new Error("full"));
    return undefined;
  };
  const { stored } = alice.send({ to: "bob" }, "two");
  await expect(stored).rejects.toMatchObject({ code: "not_saved" });
  expect(alice.connection()).toMatchObject({ state: "ended", code: "not_saved" });
  // the server has it, and a new start finds that out
  store.write = write;
  harness.server.onFrame = () => undefined;
  await alice.connected();
  alice.open(DM);
  await until(() => shown(alice).every(([, state]) => state === "sent") && shown(alice).length === 2);
});

test("starts and ends may cross: who waits hears of the end, and one connection is left", async () => {
  const alice = harness.client();
  await alice.close();
  await alice.close();
  await alice.connected();
  await alice.close();
  const waits = alice.connected();
  const closes = alice.close();
  await expect(waits).rejects.toMatchObject({ code: "closed" });
  await closes;
  await Promise.all([alice.start(), alice.start(), alice.connected(), alice.connected()]);
  void alice.close();
  void alice.start();
  await alice.close();
  await alice.connected();
  await until(() => harness.server.sockets.length === 1);
  await alice.send({ to: "bob" }, "hi").stored;
});

test("what is written at the end is kept, and sent once", async () => {
  const alice = harness.client();
  await alice.connected();
  alice.send({ to: "bob" }, "bye");
  await alice.close();
  await alice.connected();
  alice.open(DM);
  await until(() => shown(alice)[0]?.[1] === "sent");
  expect(harness.server.logs.get(DM)?.entries).toHaveLength(1);
});

test("a call whose token can't be had rejects as any other, and says why", async () => {
  const why = new Error("the backend is gone");
  const alice = harness.client({ token: () => Promise.reject(why) });
  const expected = { name: "ParleyError", code: "unreachable", retryable: true, cause: why };
  await expect(alice.api.get("/v1/me")).rejects.toMatchObject(expected);
});

test("a client whose store does not answer any more has ended when it is closed, and who waits is told", async () => {
  const store = memoryStore();
  const alice = harness.client({ store });
  await alice.connected();
  store.write = never;
  const { stored } = alice.send({ to: "bob" }, "hi");
  await alice.close();
  expect(alice.connection()).toMatchObject({ state: "ended", code: "closed" });
  await expect(stored).rejects.toMatchObject({ name: "ParleyError" });
});

test("what comes late for a client that was closed does not get into the store, which another may have by then", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let answered = 0;
  const store = memoryStore();
  harness.server.say(DM, "bob", "one", BOTH);
  const first = harness.client({
    store,
    fetch: async (...given) => {
      const answer = await fetch(...given);
      if (String(given[0]).includes("/messages")) {
        answered++;
        await held;
      }
      return answer;
    },
  });
  await first.connected();
  first.open(DM);
  await until(() => answered > 0);
  await first.close();
  release();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await store.items(DM, { before: Infinity, limit: 10 })).toEqual([]);
});

const out = { error: "You are kept out", code: "banned", retryable: false, until: 1_795_517_600_123, request_id: "r" };

test("who is banned is told until when, and the client stays away", async () => {
  const { server } = harness;
  const alice = harness.client({ token: () => token("alice") });
  await alice.connected();
  server.routes.set("GET /v1/me", () => ({ status: 403, body: out }));
  server.post("alice", { type: "disconnect", code: "banned", reconnect: false });
  await until(() => alice.connection().until);
  expect(alice.connection()).toEqual({
    state: "ended",
    code: "banned",
    reason: "You are kept out",
    until: 1_795_517_600_123,
  });
  expect(server.requests.filter((each) => each === "GET /v1/me")).toHaveLength(1);
});

test("a ticket that is refused for a ban ends the client at once: another token would not help", async () => {
  const { server } = harness;
  server.routes.set("POST /v1/tickets", () => ({ status: 403, body: { ...out, until: null } }));
  const alice = harness.client({ token: () => token("alice"), byTicket: true });
  await expect(alice.connected()).rejects.toMatchObject({ code: "banned" });
  expect(alice.connection()).toMatchObject({ state: "ended", code: "banned", until: null });
  expect(server.requests.filter((each) => each === "POST /v1/tickets")).toHaveLength(1);
});
