/** How people come into a group by themselves, what it says of itself, and what is pinned in it: each shown at once to whom it is for. */
import { looker } from "../axe.mjs";

export default async function play(stage) {
  const { a, b, c, pictures } = stage.given;
  const found = [];
  const look = looker(found);
  const context = await stage.browser.newContext({
    locale: "en-GB",
    viewport: { width: 1100, height: 860 },
    bypassCSP: true,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const alice = await stage.person({ user: a, context });
  const { page } = alice;
  const dialog = page.getByRole("dialog");
  await alice.group("Garden", []);
  const address = new URL(page.url()).hash;

  // What the group says of itself, and who may come.
  await page.getByRole("button", { name: "Details" }).click();
  await dialog.getByRole("textbox", { name: "Topic" }).fill("Seeds in spring");
  await dialog.getByRole("button", { name: "Set the topic" }).click();
  await page.getByText("set the topic to").waitFor();
  await dialog.getByLabel("Who may join").selectOption("request");
  await page.getByText("lets people ask to join").waitFor();
  await look("a group's details", page);
  await page.keyboard.press("Escape");
  await page.locator(".head").getByText("Seeds in spring").waitFor();

  // Bob asks, Alice hears of it at once, and lets him in.
  const bob = await stage.person({ user: b });
  await bob.page.getByRole("heading", { name: "Chats" }).waitFor();
  await bob.page.evaluate((hash) => {
    location.hash = hash;
  }, address);
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.page.getByText("You have asked to join").waitFor();
  await bob.page.getByRole("button", { name: "Withdraw the request" }).click();
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.page.getByRole("button", { name: "Withdraw the request" }).waitFor();
  await page.getByRole("button", { name: "Details, 1 wants to join" }).click();
  await look("a request", page);
  await dialog.getByRole("listitem").filter({ hasText: b }).getByRole("button", { name: "Let in" }).click();
  await dialog.getByRole("heading", { name: "Members (2)" }).waitFor();
  await bob.row("Garden").waitFor();
  await bob.page.getByRole("heading", { name: "Garden" }).waitFor();

  // By a link comes who has it.
  await dialog.getByRole("button", { name: "Make an invitation link" }).click();
  const link = await dialog.getByLabel("The link, shown this once").inputValue();
  await dialog.getByText("Link, used 0 times").waitFor();
  await page.keyboard.press("Escape");
  const carol = await stage.person({ user: c });
  await carol.page.getByRole("heading", { name: "Chats" }).waitFor();
  await carol.page.evaluate((hash) => {
    location.hash = hash;
  }, new URL(link).hash);
  await carol.page.getByRole("heading", { name: "Garden" }).waitFor();
  await carol.page.getByText("Seeds in spring").waitFor();
  if (pictures) await carol.page.screenshot({ path: `${pictures}/invitation.png` });
  await carol.page.getByRole("button", { name: "Join the group" }).click();
  await carol.box.waitFor();

  // What is pinned is seen by all.
  await alice.say("The shed's code is 4711");
  await alice.isSent("The shed's code is 4711");
  await alice.act("The shed's code is 4711", "Pin this message");
  for (const one of [bob, carol])
    await one.page.getByRole("button", { name: /1 pinned message.*The shed's code is 4711/ }).waitFor();
  await look("a pinned message", page);
  if (pictures) await page.screenshot({ path: `${pictures}/pinned.png` });
  await alice.act("The shed's code is 4711", "Unpin this message");
  await bob.page.getByRole("button", { name: /1 pinned message/ }).waitFor({ state: "detached" });

  // Slow mode is told where one writes; in a frozen group only some write.
  await page.getByRole("button", { name: "Details" }).click();
  await dialog.getByLabel("Slow mode for plain members").selectOption("30");
  await bob.page.getByText("Slow mode: one message in 30 seconds").waitFor();
  await dialog.getByRole("button", { name: "Freeze the group" }).click();
  await bob.page.getByText("The group is frozen").waitFor();
  stage.check((await bob.box.count()) === 0, "a plain member has nowhere to write");
  await dialog.getByRole("button", { name: "Let members write again" }).click();
  await bob.box.waitFor();

  // What is offered is what one's role may, and that is another as soon as the role is.
  const menu = bob.page.getByRole("menuitem");
  const opened = async () => {
    await bob.message("The shed's code is 4711").hover();
    await bob.message("The shed's code is 4711").getByRole("button", { name: "Actions for this message" }).click();
    await menu.filter({ hasText: "Reply" }).waitFor();
    const names = await menu.allTextContents();
    await bob.page.keyboard.press("Escape");
    await menu.first().waitFor({ state: "detached" });
    return names;
  };
  const role = async (label) => {
    await dialog
      .getByRole("listitem")
      .filter({ hasText: b })
      .getByRole("button", { name: /Actions/ })
      .click();
    await page.getByRole("menuitem", { name: label }).click();
  };
  stage.check(!(await opened()).includes("Pin this message"), "a plain member pins nothing");
  await role("Make admin");
  await bob.page.getByText(/one message in 30 seconds/).waitFor({ state: "detached" });
  await stage.until(async () => (await opened()).includes("Pin this message"), "an admin pins");
  await bob.act("The shed's code is 4711", "Pin this message");
  const pinned = page.locator(".pinned").filter({ hasText: "The shed's code is 4711" });
  await pinned.waitFor();
  await role("Make plain member");
  await bob.page.getByText(/one message in 30 seconds/).waitFor();
  stage.check(!(await opened()).includes("Unpin this message"), "and no more as a member");

  // What is pinned stays without a network.
  await page.keyboard.press("Escape");
  await pinned.waitFor();
  await context.setOffline(true);
  await page.getByText("You are offline").waitFor();
  await pinned.waitFor();
  await context.setOffline(false);
  stage.check(!found.length, `axe finds nothing:\n${found.join("\n")}`);
}
