// @vitest-environment happy-dom
import { ParleyClient } from "@parley/client";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { FakeServer, token, until } from "../../tests/server.js";
import {
  ParleyProvider,
  useClient,
  useConnection,
  useConversation,
  useInbox,
  useMessages,
  useNotifications,
  usePresence,
  useSend,
  useTyping,
} from "../src/index.js";

const DM = "dm:alice:bob";
const BOTH = ["alice", "bob"];
let server: FakeServer;
let client: ParleyClient;
let renders: Record<string, number> = {};

beforeEach(async () => {
  renders = {};
  server = await FakeServer.start();
  client = new ParleyClient({ ...server.urls, token: token("alice"), WebSocket });
});

afterEach(async () => {
  cleanup();
  await client.close();
  await server.stop();
});

function count(name: string): void {
  renders[name] = (renders[name] ?? 0) + 1;
}

async function settle(look: () => unknown): Promise<void> {
  await waitFor(() => {
    if (!look()) throw new Error("not yet");
  });
  await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
}

function show(...children: ReactNode[]) {
  return render(<ParleyProvider client={client}>{children}</ParleyProvider>);
}

function Messages({ id = DM }: { id?: string }) {
  count("messages");
  const { items } = useMessages(id);
  return (
    <ol data-testid="messages">
      {items.map((item) => (item.kind === "message" ? <li key={item.key}>{item.message.content}</li> : null))}
    </ol>
  );
}

function Inbox() {
  count("inbox");
  const { items, unread } = useInbox();
  return <p data-testid="inbox">{`${items.length}/${unread}`}</p>;
}

function Typing({ id = DM }: { id?: string }) {
  count("typing");
  return <p data-testid="typing">{useTyping(id).users.join()}</p>;
}

function Status() {
  count("status");
  return <p data-testid="status">{useConnection().state}</p>;
}

function Row() {
  count("row");
  return <p data-testid="row">{useConversation(DM)?.last_message?.content}</p>;
}

function Told() {
  count("told");
  return <p data-testid="told">{useNotifications().length}</p>;
}

function People({ users }: { users: string[] }) {
  count("people");
  const presence = usePresence(users);
  return <p data-testid="people">{users.map((user) => presence[user]?.status ?? "?").join()}</p>;
}

function Composer() {
  count("composer");
  const send = useSend({ conversation_id: DM });
  return (
    <button type="button" onClick={() => send("from a button")}>
      Send
    </button>
  );
}

function Lost() {
  return <p>{String(useClient())}</p>;
}

const text = (name: string) => screen.getByTestId(name).textContent;

test("everything that a chat shows follows what happens", async () => {
  server.say(DM, "bob", "hello", BOTH);
  show(
    <Messages key={1} />,
    <Inbox key={2} />,
    <Typing key={3} />,
    <Status key={4} />,
    <Row key={5} />,
    <Told key={6} />,
    <Composer key={7} />,
  );
  await settle(() => text("status") === "online" && text("messages") === "hello");
  expect(text("inbox")).toBe("1/0");
  await settle(() => {
    if (client.typing(DM).length === 0)
      server.post("alice", { type: "typing", conversation_id: DM, user_id: "bob", active: true });
    return client.typing(DM).length === 1;
  });
  expect(text("typing")).toBe("bob");
  server.say(DM, "bob", "again", BOTH);
  await settle(() => client.timeline(DM).items.length === 2);
  expect([text("messages"), text("row"), text("inbox"), text("typing")]).toEqual(["helloagain", "again", "1/1", ""]);
  await act(async () => screen.getByText("Send").click());
  expect(text("messages")).toBe("helloagainfrom a button");
});

test("what has not changed is not rendered again", async () => {
  server.say(DM, "bob", "hello", BOTH);
  server.say("dm:alice:carol", "carol", "hello", ["alice", "carol"]);
  show(
    <Messages key={1} />,
    <Inbox key={2} />,
    <Typing key={3} />,
    <Status key={4} />,
    <Row key={5} />,
    <Told key={6} />,
    <Composer key={7} />,
    <People key={8} users={["bob"]} />,
  );
  await settle(
    () =>
      text("status") === "online" &&
      text("messages") === "hello" &&
      client.inbox().items.length === 2 &&
      text("people") === "offline",
  );
  const before = { ...renders };
  server.say("dm:alice:carol", "carol", "elsewhere", ["alice", "carol"]);
  await settle(() => client.inbox().unread === 1);
  expect(renders).toEqual({ ...before, inbox: (before.inbox ?? 0) + 1 });
  server.post("alice", { type: "typing", conversation_id: "dm:alice:carol", user_id: "carol", active: true });
  server.post("alice", { type: "presence", user_id: "zoe", status: "online", last_seen: null, timestamp: 1 });
  await settle(() => client.presence("zoe"));
  expect(renders).toEqual({ ...before, inbox: (before.inbox ?? 0) + 1 });
  await act(() => client.refreshInbox());
  expect(renders.messages).toBe(before.messages);
  server.post("alice", { type: "presence", user_id: "bob", status: "online", last_seen: null, timestamp: 9 });
  await settle(() => text("people") === "online");
  expect(renders.people).toBe((before.people ?? 0) + 1);
  expect(renders.messages).toBe(before.messages);
});

test("all users that any component shows are watched, and no others", async () => {
  const users = () => server.frames.filter((frame) => frame.type === "presence").at(-1)?.users;
  const view = show(<People key={1} users={["bob", "carol"]} />);
  await settle(() => JSON.stringify(users()) === '["bob","carol"]');
  view.rerender(
    <ParleyProvider client={client}>
      <People key={1} users={["carol", "dave"]} />
    </ParleyProvider>,
  );
  await settle(() => JSON.stringify(users()) === '["carol","dave"]');
  view.unmount();
  await until(() => JSON.stringify(users()) === "[]");
});

test("strict mode mounts twice and loses nothing", async () => {
  server.say(DM, "bob", "hello", BOTH);
  render(
    <StrictMode>
      <ParleyProvider client={client}>
        <Messages />
        <People users={["bob"]} />
      </ParleyProvider>
    </StrictMode>,
  );
  await settle(() => text("messages") === "hello" && text("people") === "offline");
});

test("without a provider the hooks say what is missing", () => {
  expect(() => render(<Lost />)).toThrow("There is no ParleyProvider");
});
