/** A name that changes shows at once, many are mentioned by those who may, what newcomers see is set, and a guest is offered what guests may. */
import { looker } from "../axe.mjs";

export default async function play(stage) {
  const { a, b, g, guest, pictures } = stage.given;
  const found = [];
  const look = looker(found);
  const context = await stage.browser.newContext({
    locale: "en-GB",
    viewport: { width: 1100, height: 860 },
    bypassCSP: true,
  });
  const alice = await stage.person({ user: a, context });
  const { page } = alice;
  const dialog = page.getByRole("dialog");

  // A group whose newcomers see what comes after them.
  await page.getByRole("button", { name: "New chat" }).click();
  await dialog.getByText("Group", { exact: true }).click();
  await dialog.getByLabel("Name of the group").fill("Garden");
  await dialog.getByLabel("Members").fill(b);
  await dialog.getByLabel("Who joins sees").selectOption("from_joining");
  await look("a new group", page);
  await dialog.getByRole("button", { name: "Create the group" }).click();
  await page.getByRole("heading", { name: "Garden" }).waitFor();
  const group = decodeURIComponent(new URL(page.url()).hash.slice(2));
  const path = `/v1/conversations/${encodeURIComponent(group)}`;
  const history = async () => (await stage.ask("GET", path, undefined, a)).history;
  stage.check((await history()) === "from_joining", "it is made so");
  await page.getByRole("button", { name: "Details" }).click();
  stage.check((await dialog.getByLabel("Who joins sees").inputValue()) === "from_joining", "and shown so");
  await dialog.getByLabel("Who joins sees").selectOption("all");
  await stage.until(async () => (await history()) === "all", "it is changed");
  await page.keyboard.press("Escape");

  // Whoever has written there is watched: another name shows at once.
  await stage.ask("POST", `${path}/messages`, { content: "Water the roses" }, b);
  await alice.sees("Water the roses");
  for (const name of ["Robert One", "Robert Two"]) {
    await stage.until(async () => {
      // the page watches its authors some moments after it shows them
      await stage.ask("PUT", `/v1/users/${b}`, { name, data: { at: Date.now() } });
      return page.locator(".timeline").getByText(name).first().isVisible();
    }, `${name} is shown without a reload`);
  }

  // Everyone is mentioned by an owner, and by no plain member.
  await alice.box.pressSequentially("Look @al");
  await page.getByRole("option", { name: "Everyone (@all)" }).waitFor();
  await look("mentions of many", page);
  await alice.box.press("Enter");
  await alice.box.press("Enter");
  await alice.isSent("Look @all");
  await page.locator(".mention", { hasText: "@all" }).waitFor();
  const { messages } = await stage.ask("GET", `${path}/messages?limit=1`, undefined, a);
  stage.check(messages[0].mentions?.[0] === "@all", "the message mentions everyone");
  const bob = await stage.person({ user: b });
  await bob.open("Garden");
  await bob.page.locator(".mention.me", { hasText: "@all" }).waitFor();
  await bob.box.pressSequentially("Look @al");
  await bob.page.getByText("Look @al", { exact: true }).first().waitFor();
  stage.check((await bob.page.getByRole("option").count()) === 0, "a plain member is offered nobody of that name");

  // A guest reads and writes, and is offered no more.
  await stage.ask("POST", `${path}/members`, { users: [g] }, a);
  const visitor = await stage.person({ token: guest, options: { viewport: { width: 390, height: 800 } } });
  await visitor.open("Garden");
  await visitor.box.fill("I am only looking");
  await visitor.box.press("Enter");
  await alice.sees("I am only looking");
  for (const name of ["Add a picture or a file", "Record a voice message", "New chat"]) {
    const offered = await visitor.page.getByRole("button", { name }).count();
    stage.check(offered === 0, `a guest is not offered: ${name}`);
  }
  if (pictures) {
    await visitor.page.screenshot({ path: `${pictures}/guest.png` });
    await visitor.page.emulateMedia({ colorScheme: "dark" });
    await page.emulateMedia({ colorScheme: "dark" });
    await visitor.page.screenshot({ path: `${pictures}/guest-dark.png` });
    await page.screenshot({ path: `${pictures}/users-dark.png` });
  }
  stage.check(!found.length, `axe finds nothing:\n${found.join("\n")}`);
}
