/** Reads every page of the site as people do: on a phone in the dark, and on a desktop; and searches. */
import { text } from "node:stream/consumers";
import { looker } from "../web/axe.mjs";
import { launch } from "../web/stage.mjs";

/** Pages with all that there is to see: pictures, code, tables, references. */
const LOOKED_AT = ["index.html", "start.html", "guides/tokens.html", "reference/http/messages.html", "costs.html"];

const { url, pages } = JSON.parse(await text(process.stdin));
const browser = await launch();
const problems = [];
let read = 0;

async function reader(width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: "en-GB" });
  const page = await context.newPage();
  let at = "";
  page.on("console", (line) => line.type() === "error" && problems.push(`${at}: ${line.text()}`));
  page.on("pageerror", (error) => problems.push(`${at}: ${error}`));
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith("data:")) problems.push(`${at}: asks ${asked}`);
  });
  const go = async (name) => {
    at = name;
    await page.goto(`${url}/${name}`);
  };
  return { page, go };
}

/** Text that can't be told from what is behind it. Of the rest that axe finds most is the theme's own. */
async function contrast(name, page) {
  const found = [];
  await looker(found)(name, page);
  problems.push(...found.filter((one) => one.includes("color-contrast")));
}

/** What is wider than the screen, in the wrong colours, or missing. */
function looks() {
  const found = [];
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) found.push(`${wide} px wider than the screen`);
  const isDark = document.documentElement.classList.contains("dark");
  if (isDark !== matchMedia("(prefers-color-scheme: dark)").matches) found.push("not in the reader's colours");
  for (const image of document.images) if (image.complete && !image.naturalWidth) found.push(`no image ${image.src}`);
  return found;
}

for (const [width, height, colours] of [
  [360, 740, "dark"],
  [1280, 800, "light"],
]) {
  const { page, go } = await reader(width, height, colours);
  for (const name of pages) {
    await go(name);
    await page.locator(".VPContent").waitFor();
    for (const problem of await page.evaluate(looks)) problems.push(`${name} at ${width}: ${problem}`);
    if (LOOKED_AT.includes(name)) await contrast(name, page);
    read += 1;
  }
  await go("calculator.html"); // not of the theme
  await page.locator("#others td").first().waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) problems.push(`calculator.html at ${width}: ${wide} px wider than the screen`);
  await page.context().close();
}

const { page, go } = await reader(1280, 800, "light");
await go("start.html");
await page.keyboard.press("Control+k");
await page.getByRole("searchbox").fill("receipts");
await page.getByRole("option").first().waitFor();
await page.getByRole("option").first().click();
await page.waitForURL((now) => !now.pathname.endsWith("/start.html"));
await page.getByRole("switch", { name: /dark/i }).first().click();
await page.locator("html.dark").waitFor();

console.log(JSON.stringify({ problems, read }));
await browser.close();
process.exit();
