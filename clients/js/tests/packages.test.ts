/** What is published, installed where nothing of this repository is: the READMEs' examples do what they say. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeServer, token } from "./server.js";

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
  for (const each of also) symlinkSync(join(ROOT, "node_modules", each), join(folder, "node_modules", each));
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

test("its types are there for an application", async () => {
  const folder = await project("types", []);
  const lines = [
    'import { type MessageItem, ParleyClient } from "@parley/client";',
    'const client = new ParleyClient({ url: "ws://x", httpUrl: "http://x", token: "t" });',
    'export const role: Promise<"owner" | "admin" | "member"> = client.api',
    '  .patch("/v1/conversations/{conversation_id}/members/{user_id}", {',
    '    path: { conversation_id: "c", user_id: "u" }, body: { role: "admin" } }).then((granted) => granted.role);',
    "export const state = (item: MessageItem): string => item.state;",
  ];
  writeFileSync(join(folder, "main.ts"), lines.join("\n"));
  const strictly = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2023,dom", "--types", ""];
  await run(join(ROOT, "node_modules/.bin/tsc"), [...strictly, "main.ts"], { cwd: folder }).catch((error) => {
    throw new Error(error.stdout);
  });
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
