/**
 * Users who chat with the built client, given as JSON on the command line: write, edit, react and reload at random until told on
 * standard input that all is well, then settle. Prints what each was told, and what each shows.
 */

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";

const { bundle, url, httpUrl, tokens, group, settings, messages, seed } = JSON.parse(process.argv[2]);
const { memoryStore, ParleyClient } = await import(bundle);

let state = seed;
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

class User {
  constructor(name) {
    this.name = name;
    this.store = memoryStore();
    this.told = {};
    this.sent = [];
    this.renew();
  }

  renew() {
    const token = tokens[this.name];
    this.client = new ParleyClient({ url, httpUrl, token: () => token, store: this.store, WebSocket, settings });
    this.client.on("entry", (entry) => {
      this.told[entry.conversation_id] ??= [];
      this.told[entry.conversation_id].push(entry.seq);
    });
  }

  async live() {
    for (let number = 0; number < messages; number++) {
      await pause(random() * 120);
      const chance = random();
      if (chance < 0.1) {
        await this.client.close();
        this.renew();
        await this.client.start();
      } else if (chance < 0.25) {
        const items = this.client.timeline(group).items.filter((item) => item.mine && item.seq !== null);
        const item = items[Math.floor(random() * items.length)];
        if (item) this.client.edit(group, item.seq, `edited ${this.name} ${number}`).catch(() => {});
      } else if (chance < 0.4) {
        const items = this.client.timeline(group).items.filter((item) => item.kind === "message" && item.seq !== null);
        const item = items[Math.floor(random() * items.length)];
        if (item) this.client.react(group, item.seq, "👍").catch(() => {});
      } else {
        this.sent.push(this.client.send({ conversation_id: group }, `${this.name} ${number}`).client_message_id);
      }
      this.client.open(group);
    }
  }

  shown() {
    const items = this.client.timeline(group).items.filter((item) => item.kind === "message");
    return items.map(({ seq, state, message }) => [
      seq,
      state === "sending" || state === "failed",
      message.content,
      message.reactions ?? {},
    ]);
  }
}

async function settled(users) {
  let before = "";
  for (let calm = 0; calm < 3; ) {
    await pause(700);
    const now = JSON.stringify(users.map((user) => [user.shown(), user.told]));
    const online = users.every((user) => user.client.connection().state === "online");
    const sending = users.some((user) => user.shown().some(([, pending]) => pending));
    calm = online && !sending && now === before ? calm + 1 : 0;
    before = now;
  }
}

const users = Object.keys(tokens).map((name) => new User(name));
await Promise.all(users.map((user) => user.client.connected()));
process.stdout.write("online\n");
await once(process.stdin, "data");
await Promise.all(users.map((user) => user.live()));
process.stdout.write("written\n");
await once(process.stdin, "data");
await settled(users);
const report = users.map((user) => ({ name: user.name, told: user.told, sent: user.sent, shown: user.shown() }));
process.stdout.write(`${JSON.stringify(report)}\n`);
await Promise.all(users.map((user) => user.client.close()));
process.exit(0);
