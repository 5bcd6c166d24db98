/** What is published, installed where nothing of this repository is: the READMEs' examples do what they say. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeServer, token, until } from "./server.js";

const run = promisify(execFile);
const ROOT = new URL("../../../", import.meta.url).pathname;
const place = mkdtempSync(join(tmpdir(), "parley-packages-"));
let tarballs: string[];

beforeAll(async () => {
  for (const folder of ["clients/js", "clients/js/react"]) {
    await run("npm", ["pack", "--silent", "--workspace", folder, "--pack-destination", place], { cwd: ROOT });
  }
  tarballs = readdirSync(place).filter((name) => name.endsWith(".tgz"));
}, 120_000);

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** A project that has the packages, and of ours only what `also` names. */
async function project(name: string, also: string[]): Promise<string> {
  const folder = join(place, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const files = tarballs.map((file) => join(place, file));
  const quietly = ["--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", "--loglevel=error"];
  await run("npm", ["install", ...quietly, ...files], { cwd: folder });
  for (const each of also) {
    const link = join(folder, "node_modules", each);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", each), link);
  }
  return folder;
}

function example(readme: string, language: string): string {
  const text = readFileSync(join(ROOT, readme), "utf8");
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(text)?.[1] ?? "";
}

test("there are two, and they carry nothing but what they are", async () => {
  expect(tarballs).toHaveLength(2);
  for (const file of tarballs) {
    const { stdout } = await run("tar", ["tzf", join(place, file)]);
    const names = stdout.trim().split("\n");
    expect(names).toEqual(expect.arrayContaining(["package/LICENSE", "package/README.md", "package/dist/index.js"]));
    expect(
      names.filter((name) => !/^package\/(LICENSE|README\.md|package\.json|dist\/.+\.(js|d\.ts))$/.test(name)),
    ).toEqual([]);
  }
});

test("the client's example runs in an empty Node project", async () => {
  const server = await FakeServer.start();
  try {
    const folder = await project("node", ["ws"]);
    const { url, httpUrl } = server.urls;
    const script = example("clients/js/README.md", "js")
      .replace(/url: ".*"/, `url: "${url}"`)
      .replace(/httpUrl: ".*"/, `httpUrl: "${httpUrl}"`)
      .replace(/token: .*/, `token: "${token("alice")}",`)
      .replace(/store: .*/, "WebSocket,")
      .replace("indexedDBStore, ", "");
    const lines = ['import { WebSocket } from "ws";', script, "await client.close();"];
    writeFileSync(join(folder, "main.js"), lines.join("\n"));
    const { stdout } = await run("node", ["main.js"], { cwd: folder, timeout: 30_000 });
    expect(stdout).toContain("new_message dm:alice:bob 1");
    expect(stdout.split("\n")).toContain("1");
  } finally {
    await server.stop();
  }
});

test("the bot's example runs in an empty Node project, and again, where the first has left off", async () => {
  const server = await FakeServer.start();
  try {
    const folder = await project("bot", ["ws"]);
    const { url, httpUrl } = server.urls;
    const script = example("docs/js-client.md", "js");
    writeFileSync(join(folder, "bot.js"), script);
    const env = { ...process.env, PARLEY_URL: url, PARLEY_HTTP_URL: httpUrl, PARLEY_TOKEN: token("alice") };
    const bot = async (words: string) => {
      const running = run("node", ["bot.js"], { cwd: folder, env, timeout: 30_000 });
      await until(() => server.sockets.length > 0 && server.frames.some((frame) => frame.type === "sync"), "the bot");
      server.say("dm:alice:bob", "bob", words, ["alice", "bob"]);
      await until(() => server.frames.some((frame) => frame.content === `You said: ${words}`), "its answer");
      running.child.kill("SIGINT");
      const { stdout } = await running;
      await until(() => server.sockets.length === 0, "its end");
      server.frames.length = 0;
      return stdout;
    };
    await bot("one");
    expect(readdirSync(folder)).toContain("alice.jsonl");
    server.say("dm:alice:bob", "bob", "while it was away", ["alice", "bob"]);
    await bot("two");
    const said = server.logs
      .get("dm:alice:bob")
      ?.entries.map(({ message }) => (message as { content: string }).content);
    expect(said?.toSorted()).toEqual(
      ["one", "You said: one", "while it was away", "You said: while it was away", "two", "You said: two"].toSorted(),
    );
  } finally {
    await server.stop();
  }
});

const APPLICATION = `
import { type Batch, type Entry, type Loaded, type MessageItem, memoryStore, ParleyClient, type Store } from "@parley/client";
import { fileStore } from "@parley/client/node";
import { ParleyProvider, useMessages, usePresence, useSend } from "@parley/react";

class OwnStore implements Store {
  private readonly inner: Store = memoryStore();
  load(): Promise<Loaded> { return this.inner.load(); }
  async write(batch: Batch): Promise<void> { await this.inner.write(batch); }
  items(id: string, range: { before?: number; after?: number; limit: number }) { return this.inner.items(id, range); }
  clear() { return this.inner.clear(); }
  close() { this.inner.close(); }
}
const { WebSocket } = globalThis;
const url = "ws://x", httpUrl = "http://x";
const client = new ParleyClient({ url, httpUrl, token: "t", store: new OwnStore(), WebSocket, fetch });
export const bot = new ParleyClient({ url, httpUrl, token: async () => "t", store: fileStore("bot.jsonl") });
export const role: Promise<"owner" | "admin" | "member"> = client.api
  .patch("/v1/conversations/{conversation_id}/members/{user_id}", {
    path: { conversation_id: "c", user_id: "u" }, body: { role: "admin" } }).then((granted) => granted.role);
export const state = (item: MessageItem): string => item.state;
export function says(entry: Entry): string | number {
  if (entry.type === "new_message") return entry.message.content ?? "deleted";
  switch (entry.type) {
    case "message_edited": return entry.content ?? entry.message_seq;
    case "reaction": return entry.emoji;
    case "member_added": case "member_removed": return entry.users.join(" ");
    case "conversation_updated": return entry.changes.name ?? "";
    case "message_deleted": return entry.message_seq;
    case "withheld": return entry.seq;
    default: { const unknown: \`unknown:\${string}\` | \`malformed:\${string}\` = entry.type; return unknown; }
  }
}
client.on("event", (event) => {
  if (event.type === "typing") event.active satisfies boolean;
  else if (event.type === "read" || event.type === "delivered") event.seq satisfies number;
  else if (event.type === "presence") event.last_seen satisfies number | null;
});
for (const item of client.timeline("c").items) if (item.kind === "notice") item.entry.type satisfies string;
export const hooks = [ParleyProvider, useMessages, usePresence, useSend];
// @ts-expect-error there is no such path
client.api.get("/v1/nothing");
// @ts-expect-error it takes the id of a conversation
client.api.get("/v1/conversations/{conversation_id}");
`;

test("their types hold in a strict application, however it resolves them", async () => {
  const folder = await project("types", ["react", "@types/react", "csstype"]);
  writeFileSync(join(folder, "main.ts"), APPLICATION);
  for (const how of ["node16", "bundler"]) {
    const compilerOptions = {
      ...{ noEmit: true, strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
      ...{ noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true, verbatimModuleSyntax: true },
      ...{ target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [] },
      ...{ module: how === "bundler" ? "esnext" : how, moduleResolution: how },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", "."], { cwd: folder }).catch((error) => {
      throw new Error(`${how}: ${error.stdout}`);
    });
  }
});

test("the hooks' example builds in an empty Vite app", async () => {
  const folder = await project("app", ["react", "react-dom", "scheduler"]);
  const lines = [
    'const [url, httpUrl, token] = ["wss://x", "https://x", "t"];',
    'import { createRoot } from "react-dom/client";',
    example("clients/js/react/README.md", "jsx"),
    'createRoot(document.getElementById("root")).render(<App />);',
  ];
  writeFileSync(join(folder, "main.jsx"), lines.join("\n"));
  writeFileSync(join(folder, "index.html"), '<div id="root"></div><script type="module" src="main.jsx"></script>');
  await run(join(ROOT, "node_modules/.bin/vite"), ["build", "--logLevel", "warn"], { cwd: folder });
  const [script] = readdirSync(join(folder, "dist/assets")).filter((name) => name.endsWith(".js"));
  expect(readFileSync(join(folder, "dist/assets", String(script)), "utf8")).toContain("/v1/tickets");
});
