/** What the client adds to a page: bundled and minified as a page's, and as it comes over the network. */

import { gzipSync } from "node:zlib";
import { build, type Rollup } from "vite";
import { expect, test } from "vitest";
import * as admin from "../src/admin.js";
import * as client from "../src/index.js";
import * as more from "../src/more.js";

/** Gzipped bytes of each entry point, with all that it exports: why so many, ADR 0055 says. */
const LARGEST = { index: 26_000, more: 3_000, admin: 4_000 };

async function sizeOf(entry: string, names: string[]): Promise<{ code: string; size: number }> {
  const page = "\0page";
  const from = new URL(`../src/${entry}.ts`, import.meta.url).pathname;
  const everything = `import { ${names.join(", ")} } from ${JSON.stringify(from)}; globalThis.client = [${names}];`;
  const made = (await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "page",
        resolveId: (id: string) => (id === "page" ? page : null),
        load: (id: string) => (id === page ? everything : null),
      },
    ],
    build: { target: "es2022", write: false, modulePreload: false, rollupOptions: { input: "page" } },
  })) as Rollup.RollupOutput;
  const code = made.output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
  return { code, size: gzipSync(code, { level: 9 }).length };
}

test("all of the client takes at most 26 KB", async () => {
  const { code, size } = await sizeOf("index", Object.keys(client));
  expect(code).toContain("/v1/tickets");
  expect(size).toBeLessThanOrEqual(LARGEST.index);
});

test("what is one request, and what is a server's, is no part of it", async () => {
  const { code } = await sizeOf("index", Object.keys(client));
  for (const route of ["/v1/users", "/v1/audit"]) expect(code).not.toContain(route);
});

test("nor is it large by itself", async () => {
  for (const [name, entry] of Object.entries({ more, admin })) {
    const { code, size } = await sizeOf(name, Object.keys(entry));
    expect(code).toContain("/v1/users");
    expect(size, name).toBeLessThanOrEqual(LARGEST[name as "more"]);
  }
});
