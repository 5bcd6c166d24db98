/** A scripted server and alice's clients for the tests of one file. */

import { afterEach, beforeEach } from "vitest";
import { WebSocket } from "ws";
import { type ClientOptions, type MessageItem, ParleyClient, type Store } from "../src/index.js";
import { FakeServer, token, until } from "./server.js";

export const DM = "dm:alice:bob";
export const BOTH = ["alice", "bob"];

export class Harness {
  server!: FakeServer;
  private readonly clients: ParleyClient[] = [];

  constructor() {
    beforeEach(async () => {
      this.server = await FakeServer.start();
    });
    afterEach(async () => {
      await Promise.all(this.clients.splice(0).map((client) => client.close()));
      await this.server.stop();
    });
  }

  client(more: Partial<ClientOptions> = {}): ParleyClient {
    const made = new ParleyClient({ ...this.server.urls, token: token("alice"), WebSocket, ...more });
    this.clients.push(made);
    return made;
  }

  /** A client writes "one", which is stored, and "two", whose acknowledgement never comes, and is closed. */
  async leaveOneUnsent(store: Store): Promise<void> {
    const { server } = this;
    const left = this.client({ store });
    await left.connected();
    await left.send({ to: "bob" }, "one").stored;
    server.onFrame = (frame) => (frame.type === "message" ? null : undefined);
    left.send({ to: "bob" }, "two");
    await until(() => server.frames.filter((frame) => frame.type === "message").length === 2);
    await left.close();
    server.onFrame = () => undefined;
  }
}

export function messages(of: ParleyClient, id = DM): MessageItem[] {
  return of.timeline(id).items.filter((item) => item.kind === "message");
}

export function shown(of: ParleyClient, id = DM): [string | null, string][] {
  return messages(of, id).map((item) => [item.message.content, item.state]);
}
