/** Files on their way: what fails stays in sight and can be sent again, and what is let go is not sent. */

import { beforeEach, expect, test } from "vitest";
import { DM, Harness, messages, shown } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();
const TEXT = new TextEncoder().encode("hello");
const file = { file_id: "f1", kind: "file", name: "a.txt", content_type: "text/plain", size: 5 };
let status: () => string;

beforeEach(() => {
  const { server } = harness;
  status = () => "ready";
  const form = { url: `${server.urls.httpUrl}/bucket`, fields: { key: "uploads/f1" } };
  server.routes.set("POST /v1/files", () => ({ status: 201, body: { ...file, status: "pending", upload: form } }));
  server.routes.set("POST /bucket", () => ({ status: 204 }));
  server.routes.set("GET /v1/files/f1", () => ({ status: 200, body: { ...file, status: status(), expires_in: 300 } }));
});

const asked = (what: string) => harness.server.requests.filter((request) => request === what).length;
const sent = () => harness.server.frames.filter((frame) => frame.type === "message");

test("an upload that fails is sent again, with the same id", async () => {
  const { server } = harness;
  server.routes.set("POST /bucket", () => ({ status: 503 }));
  const alice = harness.client();
  await alice.connected();
  alice.open(DM);
  const { stored, client_message_id } = alice.sendFile({ to: "bob" }, TEXT, { name: "a.txt", caption: "look" });
  await expect(stored).rejects.toMatchObject({ code: "expired" });
  expect(messages(alice)[0]).toMatchObject({ state: "failed", error: { retryable: true }, upload: { name: "a.txt" } });
  server.routes.set("POST /bucket", () => ({ status: 204 }));
  const again = alice.resend(client_message_id);
  expect(shown(alice)).toEqual([["look", "sending"]]);
  expect(await again.stored).toMatchObject({ client_message_id, seq: 1 });
  expect(messages(alice)).toMatchObject([{ key: client_message_id, state: "sent", message: { file_id: "f1" } }]);
  expect(() => alice.resend(client_message_id)).toThrow("no such refused message");
});

test("a message that can't be sent once its file is there fails in sight, and is sent again without another upload", async () => {
  const { server } = harness;
  const alice = harness.client({ settings: { maxOutbox: 1 } });
  await alice.connected();
  alice.open(DM);
  server.onFrame = (frame) => (frame.type === "message" ? null : undefined);
  alice.send({ to: "bob" }, "first");
  const { stored, client_message_id } = alice.sendFile({ to: "bob" }, TEXT, { name: "a.txt" });
  await expect(stored).rejects.toMatchObject({ code: "outbox_full" });
  expect(messages(alice)[1]).toMatchObject({ key: client_message_id, state: "failed", error: { code: "outbox_full" } });
  server.onFrame = () => undefined;
  server.drop();
  await until(() => shown(alice)[0]?.[1] === "sent");
  await alice.resend(client_message_id).stored;
  expect(shown(alice)).toEqual([
    ["first", "sent"],
    ["", "sent"],
  ]);
  expect(asked("POST /bucket")).toBe(1);
});

test("what is let go while it is uploaded is not sent", async () => {
  status = () => "checking";
  const alice = harness.client();
  await alice.connected();
  alice.open(DM);
  const { stored, client_message_id } = alice.sendFile({ to: "bob" }, TEXT, { name: "a.txt" });
  await until(() => asked("GET /v1/files/f1") > 0);
  alice.discard(client_message_id);
  expect(messages(alice)).toEqual([]);
  status = () => "ready";
  await expect(stored).rejects.toMatchObject({ code: "aborted" });
  await alice.send({ to: "bob" }, "after it").stored;
  expect(sent().map((frame) => frame.content)).toEqual(["after it"]);
  expect(() => alice.resend(client_message_id)).toThrow("no such refused message");
});

test("an upload that is called off by its signal stays as failed, and can be let go", async () => {
  status = () => "checking";
  const control = new AbortController();
  const alice = harness.client();
  await alice.connected();
  alice.open(DM);
  const options = { name: "a.txt", signal: control.signal };
  const { stored, client_message_id } = alice.sendFile({ to: "bob" }, TEXT, options);
  await until(() => asked("GET /v1/files/f1") > 0);
  control.abort();
  await expect(stored).rejects.toMatchObject({ code: "aborted" });
  expect(messages(alice)[0]).toMatchObject({ state: "failed", error: { code: "aborted" } });
  alice.discard(client_message_id);
  expect(messages(alice)).toEqual([]);
});

test("the end calls uploads off, and one id is used once at a time", async () => {
  status = () => "checking";
  const alice = harness.client();
  await alice.connected();
  const options = { name: "a.txt", client_message_id: "f" };
  const { stored } = alice.sendFile({ to: "bob" }, TEXT, options);
  expect(() => alice.sendFile({ to: "bob" }, TEXT, options)).toThrow("on its way already");
  await until(() => asked("GET /v1/files/f1") > 0);
  await alice.close();
  await expect(stored).rejects.toMatchObject({ code: "aborted" });
  expect(sent()).toEqual([]);
});

test("a progress listener that throws is reported, and the file is sent", async () => {
  const reported: unknown[] = [];
  globalThis.reportError = (error) => reported.push(error);
  const alice = harness.client();
  await alice.connected();
  const onProgress = () => {
    throw new Error("the listener's own");
  };
  await alice.sendFile({ to: "bob" }, TEXT, { name: "a.txt", onProgress }).stored;
  expect(reported.length).toBeGreaterThan(0);
  Reflect.deleteProperty(globalThis, "reportError");
});
