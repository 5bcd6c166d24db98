/** The laptop's page of events out: each kind in words, what is open stays open, and one kind alone where that is wanted. */
import { looker } from "../axe.mjs";

export default async function play(stage) {
  const { html, events, more, pictures } = stage.given;
  const listed = [...events];
  const open = async (options) => {
    const context = await stage.browser.newContext({ locale: "en-GB", timezoneId: "UTC", bypassCSP: true, ...options });
    await context.route("**/*", (route) => {
      const isList = route.request().url().endsWith("/events.json");
      const body = isList ? JSON.stringify({ events: listed }) : html;
      return route.fulfill({ body, contentType: isList ? "application/json" : "text/html; charset=utf-8" });
    });
    return stage.person({ context, at: "http://receiver.test/_parley/events" });
  };
  const found = [];
  const look = looker(found);
  const { page } = await open({ viewport: { width: 1000, height: 900 } });
  await page.getByText(`${events.length} events`).waitFor();
  const lines = async () => (await page.locator("article h2").allTextContents()).reverse();
  stage.check(JSON.stringify(await lines()) === JSON.stringify(stage.given.lines), `in words: ${await lines()}`);
  await look("events", page);
  if (pictures) await page.screenshot({ path: `${pictures}/receiver.png`, fullPage: true });

  // What is open stays open when more comes.
  await page.locator("article").last().getByText("event", { exact: true }).click();
  await page.locator("details[open]").waitFor();
  listed.push(...more);
  await page.getByText(`${listed.length} events`).waitFor();
  stage.check((await page.locator("details[open]").count()) === 1, "it is still open");
  stage.check(
    (await page.locator("article").first().textContent()).includes("com.example.new"),
    "the latest is on top",
  );

  await page.getByRole("button", { name: /^Reports/ }).click();
  stage.check((await page.locator("article").count()) === 2, "reports alone");
  await page.getByRole("button", { name: /^All/ }).click();
  stage.check((await page.locator("article").count()) === listed.length, "and all again");

  for (const [kind, options] of Object.entries({
    dark: { colorScheme: "dark", viewport: { width: 1000, height: 900 } },
    phone: { viewport: { width: 380, height: 800 } },
  })) {
    const other = (await open(options)).page;
    await other.getByText(`${listed.length} events`).waitFor();
    await look(kind, other);
    const [wide, room] = await other.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    stage.check(wide <= room, `${kind}: nothing stands out of the window`);
    if (pictures) await other.screenshot({ path: `${pictures}/receiver-${kind}.png` });
  }
  stage.check(!found.length, `axe finds nothing:\n${found.join("\n")}`);
}
