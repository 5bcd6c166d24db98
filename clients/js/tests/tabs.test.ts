/** Two pages of one user, with one database. */

import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { indexedDBStore } from "../src/index.js";
import { BOTH, DM, Harness, messages, shown } from "./harness.js";
import { until } from "./server.js";

const harness = new Harness();

test("both send and hear: each message once, in both and in what a third one finds", async () => {
  const { server } = harness;
  const first = harness.client({ store: indexedDBStore("tabs") });
  const second = harness.client({ store: indexedDBStore("tabs") });
  await Promise.all([first.connected(), second.connected()]);
  const told: string[][] = [[], []];
  [first, second].forEach((tab, index) => {
    tab.open(DM);
    tab.on("entry", (entry) => told[index]?.push(`${entry.conversation_id} ${entry.seq}`));
  });
  for (let number = 0; number < 10; number++) {
    (number % 2 === 0 ? first : second).send({ to: "bob" }, `own ${number}`);
    server.say(DM, "bob", `bob's ${number}`, BOTH);
  }
  await until(() => [first, second].every((tab) => messages(tab).filter((item) => item.seq !== null).length === 20));
  const expected = Array.from({ length: 20 }, (_, index) => `${DM} ${index + 1}`);
  await until(() => told.every((each) => each.length >= 20));
  expect(told).toEqual([expected, expected]);
  await first.close();
  await second.close();
  harness.server.drop();
  const third = harness.client({
    store: indexedDBStore("tabs"),
    url: "ws://127.0.0.1:9/",
    httpUrl: "http://127.0.0.1:9",
  });
  await third.start();
  third.open(DM);
  await until(() => messages(third).length === 20);
  expect(messages(third).map((item) => item.seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test("what one has not sent before it was closed, the other's successor sends, and two that find it send it once", async () => {
  const { server } = harness;
  await harness.leaveOneUnsent(indexedDBStore("left"));
  const tabs = [1, 2].map(() => harness.client({ store: indexedDBStore("left") }));
  await Promise.all(tabs.map((tab) => tab.connected()));
  for (const tab of tabs) tab.open(DM);
  await until(() => tabs.every((tab) => shown(tab).length === 2 && shown(tab).every(([, state]) => state === "sent")));
  expect(server.logs.get(DM)?.entries).toHaveLength(2);
  const last = harness.client({ store: indexedDBStore("left") });
  await last.connected();
  last.open(DM);
  await until(() => shown(last).length === 2);
  expect(server.frames.filter((frame) => frame.content === "two" && frame.type === "message")).toHaveLength(3);
});

test("one is behind: what it writes back takes nothing from the other, and a reload is whole", async () => {
  const { server } = harness;
  const lagging = harness.client({ store: indexedDBStore("behind") });
  const live = harness.client({ store: indexedDBStore("behind") });
  await Promise.all([lagging.connected(), live.connected()]);
  for (const words of ["one", "two"]) server.say(DM, "bob", words, BOTH);
  await until(() => [lagging, live].every((tab) => tab.conversation(DM)?.head === 2));
  // from here on the first one hears nothing, and then writes what it had
  const silenced = server.sockets.splice(0, 1);
  for (const words of ["three", "four"]) server.say(DM, "bob", words, BOTH);
  await until(() => live.conversation(DM)?.head === 4);
  await lagging.markRead(DM, 2).catch(() => {});
  server.sockets.unshift(...silenced);
  await live.close();
  await lagging.close();
  const next = harness.client({ store: indexedDBStore("behind") });
  await next.connected();
  next.open(DM);
  await until(() => messages(next).length === 4);
  expect(messages(next).map((item) => item.seq)).toEqual([1, 2, 3, 4]);
});
