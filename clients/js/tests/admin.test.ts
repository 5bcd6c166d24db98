/** What a team's server asks for: each call is the request that the protocol names. */

import { expect, test } from "vitest";
import { ParleyAdmin } from "../src/admin.js";

type Asked = { method: string; path: string; headers: Record<string, string>; body: unknown };

/** An admin whose requests are noted, and answered with what stands for them. */
function admin(
  answers: Record<string, unknown | ((asked: Asked) => { status: number; body: unknown })>,
  token: unknown = "t",
) {
  const asked: Asked[] = [];
  const fetch = async (url: URL, given: RequestInit) => {
    const { method = "", headers, body } = given;
    const path = decodeURIComponent(url.pathname + url.search);
    const one = { method, path, headers: headers as Record<string, string>, body: body && JSON.parse(String(body)) };
    asked.push(one);
    const answer = answers[`${method} ${path.split("?")[0]}`];
    const made =
      typeof answer === "function" ? answer(one) : { status: answer === undefined ? 204 : 200, body: answer };
    return new Response(made.body === undefined ? null : JSON.stringify(made.body), { status: made.status });
  };
  const options = { httpUrl: "http://x", token: token as string, fetch: fetch as typeof globalThis.fetch };
  return { asked, it: new ParleyAdmin(options) };
}

const missing = () => ({ status: 404, body: { code: "not_found", error: "", retryable: false } });

test("records are put one by one, or any number, a hundred at a time", async () => {
  const { asked, it } = admin({
    "PUT /v1/users/bob": { user_id: "bob", name: "Bob" },
    "POST /v1/users": ({ body }: Asked) => ({ status: 200, body }),
  });
  expect((await it.putUser("bob", { name: "Bob" })).name).toBe("Bob");
  const many = Array.from({ length: 250 }, (_, number) => ({ user_id: `u${number}` }));
  expect(await it.putUsers(many)).toHaveLength(250);
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "PUT /v1/users/bob",
    ...["POST /v1/users", "POST /v1/users", "POST /v1/users"],
  ]);
  expect(asked[0]?.headers.authorization).toBe("Bearer t");
});

test("who is out is kept out, looked at, and let in again", async () => {
  const ban = { user_id: "bob", until: null, reason: "spam", at: 1, by: "ops", closed: 2 };
  const { asked, it } = admin({
    "PUT /v1/users/bob/ban": ban,
    "GET /v1/users/bob/ban": missing,
    "POST /v1/users/bob/revoke": { issued_before: 5, closed: 1 },
    "GET /v1/users/bob/connections": { connections: [{ connection_id: "c" }] },
    "DELETE /v1/users/bob/connections": { closed: 3 },
  });
  expect((await it.ban("bob", { reason: "spam" })).closed).toBe(2);
  expect(await it.banOf("bob")).toBeNull();
  await it.unban("bob");
  expect(await it.revoke("bob", 5)).toEqual({ issued_before: 5, closed: 1 });
  expect(await it.connections("bob")).toHaveLength(1);
  expect(await it.disconnect("bob")).toBe(3);
  expect(asked.map((each) => each.method)).toEqual(["PUT", "GET", "DELETE", "POST", "GET", "DELETE"]);
});

test("another user's requests carry their name, and only those", async () => {
  const { asked, it } = admin({
    "GET /v1/me": {},
    "POST /v1/conversations/group:x/messages": { seq: 4 },
  });
  await it.as("bob").get("/v1/me");
  await it.api.get("/v1/me");
  await it.sendSystem("group:x", "Maintenance at noon", { as: "bob", client_message_id: "m1" });
  expect(asked.map((each) => each.headers["parley-as"])).toEqual(["bob", undefined, "bob"]);
  expect(asked[2]?.body).toEqual({ content: "Maintenance at noon", message_type: "system", client_message_id: "m1" });
});

test("the audit and the directory are read to their end, page by page", async () => {
  const { it } = admin({
    "GET /v1/audit": ({ path }: Asked) => ({
      status: 200,
      body: path.includes("cursor=b")
        ? { rows: [{ at: 1 }], next_cursor: null }
        : { rows: [{ at: 2 }], next_cursor: "b" },
    }),
    "GET /v1/users": { users: [{ user_id: "bob" }], next_cursor: null },
  });
  const rows = [];
  for await (const row of it.audit({ user: "bob" })) rows.push(row.at);
  expect(rows).toEqual([2, 1]);
  const users = [];
  for await (const user of it.find("b")) users.push(user.user_id);
  expect(users).toEqual(["bob"]);
});

test("everybody is told, and that is followed and stopped", async () => {
  const going = { id: "b1", state: "running", posted: 3 };
  const { asked, it } = admin({
    "POST /v1/broadcasts": going,
    "GET /v1/broadcasts/b1": going,
    "POST /v1/broadcasts/b1/cancel": { ...going, state: "cancelled" },
    "POST /v1/users/bob/export": { id: "e1", status: "running" },
  });
  const { id } = await it.broadcast({ title: "Back at noon", broadcast_id: "b1" });
  expect((await it.broadcastOf(id)).posted).toBe(3);
  expect((await it.steer(id, "cancel")).state).toBe("cancelled");
  expect((await it.exportUser("bob")).status).toBe("running");
  expect(asked[0]?.body).toEqual({ title: "Back at noon", broadcast_id: "b1" });
});

test("what waits for review is let through or not; who is shadow-banned writes for themselves", async () => {
  const { asked, it } = admin({
    "GET /v1/held": { held: [{ id: "h1" }], next_cursor: null },
    "POST /v1/held/h1/decision": { id: "h1", status: "rejected" },
    "PUT /v1/users/bob/shadow-ban": { user_id: "bob" },
    "POST /v1/users/bob/erasure": { id: "e1" },
  });
  for await (const { id } of it.held()) expect((await it.review(id, "reject", "rude")).status).toBe("rejected");
  await it.shadowBan("bob");
  await it.endShadowBan("bob");
  await it.eraseUser("bob");
  expect(asked.map((each) => each.body)).toEqual([
    undefined,
    { decision: "reject", reason: "rude" },
    {},
    undefined,
    undefined,
  ]);
});

test("reports are read to their end, and decided", async () => {
  const { asked, it } = admin({
    "GET /v1/reports": { reports: [{ id: "r1" }], next_cursor: null },
    "POST /v1/reports/r1/decision": { id: "r1", status: "decided" },
  });
  for await (const { id } of it.reports({ status: "open" })) {
    expect((await it.decide(id, { decision: "delete", note: "spam" })).status).toBe("decided");
  }
  expect(asked.map((each) => `${each.method} ${each.path}`)).toEqual([
    "GET /v1/reports?status=open&limit=100",
    "POST /v1/reports/r1/decision",
  ]);
  expect(asked[1]?.body).toEqual({ decision: "delete", note: "spam" });
});

test("a token that is refused is replaced once, where there is another", async () => {
  let number = 0;
  const { asked, it } = admin(
    {
      "GET /v1/users/bob": ({ headers }: Asked) =>
        headers.authorization === "Bearer t1"
          ? { status: 401, body: { code: "unauthenticated", error: "", retryable: false } }
          : { status: 200, body: { user_id: "bob" } },
    },
    () => `t${++number}`,
  );
  expect((await it.user("bob"))?.user_id).toBe("bob");
  expect(asked).toHaveLength(2);
  const fixed = admin({ "GET /v1/users/bob": missing });
  expect(await fixed.it.user("bob")).toBeNull();
});
