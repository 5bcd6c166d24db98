import { readFileSync } from "node:fs";
import { defineConfig } from "vitepress";

const { nav, sidebar } = JSON.parse(readFileSync(new URL("../.staged/navigation.json", import.meta.url), "utf8"));

/** An anchor as GitHub makes it of a heading, so that a link to one leads there on both. */
const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");

export default defineConfig({
  title: "Parley",
  description: "A serverless chat backend in your own AWS account",
  lang: "en",
  srcDir: ".staged/pages",
  outDir: "../.build/site",
  base: process.env.PARLEY_DOCS_BASE || "/",
  // Links of built pages are all followed by a test, anchors too (tests/website). These lead to a stack on a laptop.
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    anchor: { slugify },
    toc: { slugify },
    languageAlias: { ndjson: "jsonl" },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  head: [["link", { rel: "icon", href: `${process.env.PARLEY_DOCS_BASE || "/"}icon.svg`, type: "image/svg+xml" }]],
  // Pictures stay files: their names are what the styles know them by.
  vite: { build: { assetsInlineLimit: 0 } },
  themeConfig: {
    nav,
    sidebar,
    outline: [2, 3],
    search: { provider: "local", options: { detailedView: true } },
    logo: { light: "/icon.svg", dark: "/icon.svg", alt: "" },
    footer: { message: "MIT licence" },
    docFooter: { prev: "Before", next: "Next" },
  },
});
