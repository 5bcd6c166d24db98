/** Axe finds nothing: signing in, the list, a chat, its menus and dialogs, light and dark, on a phone, from right to left. */
import { looker } from "../axe.mjs";

export default async function play(stage) {
  const { a, b, c } = stage.given;
  const found = [];
  const look = looker(found);
  const options = { bypassCSP: true }; // for axe itself, which is put into the page
  const out = await stage.person({ options });
  await out.page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await look("signing in", out.page);
  for (const [name, more] of Object.entries({
    light: {},
    dark: { colorScheme: "dark" },
    phone: { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true },
    rtl: { rtl: true },
  })) {
    const { rtl, ...window } = more;
    const context = await stage.browser.newContext({
      locale: "en-GB",
      viewport: { width: 1100, height: 760 },
      ...options,
      ...window,
    });
    if (rtl) await context.addInitScript(() => localStorage.setItem("parley.dir", "rtl"));
    const alice = await stage.person({ user: a, context });
    if (name === "light") {
      await alice.page.getByRole("heading", { name: "Chats" }).waitFor();
      await look("the empty list", alice.page);
      await alice.group("Tea at four", [b, c]);
      await alice.say(`hello @${b}, see https://example.com`);
      await alice.isSent(`hello @${b}, see https://example.com`).catch(() => undefined);
      await alice.say("second");
      await alice.message("second").getByRole("button", { name: "React 👍" }).click({ force: true });
      await alice.act("second", "Reply");
      await alice.say("third");
    } else await alice.open("Tea at four");
    await alice.sees("third");
    await look(`${name}: a chat`, alice.page);
    await alice.page.getByRole("button", { name: "Details" }).click();
    await alice.page.getByRole("heading", { name: "Members (3)" }).waitFor();
    await look(`${name}: details`, alice.page);
    await alice.page.keyboard.press("Escape");
    await alice.message("third").hover();
    await alice.message("third").getByRole("button", { name: "Actions for this message" }).click();
    await look(`${name}: the menu`, alice.page);
    await alice.page.keyboard.press("Escape");
    await alice.page.getByRole("button", { name: "Emoji" }).click();
    await alice.page.getByRole("gridcell", { name: "Grinning face", exact: true }).waitFor();
    await look(`${name}: emoji`, alice.page);
  }
  stage.check(!found.length, `axe finds nothing:\n${found.join("\n")}`);
}
