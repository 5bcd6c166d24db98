/** What a team's server says of its users and hangs on messages is shown; voices are recorded and heard; who is banned is told until when. */
import { looker } from "../axe.mjs";

const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC";

export default async function play(stage) {
  const { a, b, c, pictures } = stage.given;
  const name = `Robert ${b.slice(-6)}`;
  await stage.ask("PUT", `/v1/users/${b}`, { name, avatar: "https://pictures.invalid/b.png", role: "agent" });
  await stage.ask("PUT", `/v1/users/${a}`, { email: "alice@example.com" });
  const found = [];
  const look = looker(found);
  const context = await stage.browser.newContext({
    locale: "en-GB",
    viewport: { width: 1100, height: 760 },
    bypassCSP: true,
  });
  const alice = await stage.person({ user: a, context });
  const { page } = alice;

  // Somebody is found by the beginning of their name, and called by it everywhere.
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByLabel("With whom?").fill(name.slice(0, -1).toLowerCase());
  await page.getByRole("button", { name: new RegExp(name) }).waitFor();
  await look("users found", page);
  await page.getByRole("button", { name: new RegExp(name) }).click();
  await page.getByRole("heading", { name }).waitFor();
  await alice.say("hello Robert");
  await alice.isSent("hello Robert");
  await alice.row(name).waitFor();
  const bob = await stage.person({ user: b });
  await bob.open(a);

  // Who has an address says of what they are mailed.
  const mail = page.getByRole("menuitemcheckbox", { name: "About mentions" });
  await page.getByRole("button", { name: /^Menu/ }).click();
  await mail.click();
  await stage.until(
    async () => (await stage.ask("GET", "/v1/me", undefined, a)).mail === "mentions",
    "mails of mentions",
  );

  // What programs hang on messages.
  const chat = `/v1/conversations/${encodeURIComponent(`dm:${[a, b].sort().join(":")}`)}/messages`;
  const attachments = [
    { type: "link", url: "https://shop.example/4711", title: "Follow your order" },
    { type: "location", latitude: 52.52, longitude: 13.405, name: "The office" },
    { type: "contact", user_id: c, name: "Carol", phone: "+49 30 1234" },
    { type: "poll", question: "Tea or coffee?", options: ["tea", "coffee"] },
    { type: "link", url: "javascript:alert(1)", title: "No link" },
    { type: "com.example.<b>thing</b>", depth: { of: ["things"] } },
  ];
  await stage.ask("POST", chat, { content: "Cards", attachments, data: { secret: "unseen" } }, b);
  await alice.sees("Cards");
  const link = page.getByRole("link", { name: /Follow your order/ });
  stage.check((await link.getAttribute("href")) === "https://shop.example/4711", "a link leads where it says");
  stage.check((await link.getAttribute("rel")).includes("noopener"), "and tells nothing of this page");
  stage.check((await page.getByRole("link", { name: /No link/ }).count()) === 0, "a script is no link");
  await page.getByRole("link", { name: /The office/ }).waitFor();
  await page.getByRole("link", { name: /Carol/ }).waitFor();
  await page.getByText("Tea or coffee?").waitFor();
  await page.getByText("com.example.<b>thing</b>", { exact: false }).waitFor();
  stage.check((await page.getByText("unseen").count()) === 0, "data is for programs");
  await stage.ask("POST", chat, { content: "Maintenance at noon", message_type: "system" }, b);
  await page.locator(".message.system").getByText("Maintenance at noon").waitFor();
  await look("cards", page);

  // A message is reported, to the moderators alone.
  await alice.act("Cards", "Report this message");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Spam", { exact: true }).click();
  await look("reporting", page);
  await dialog.getByRole("button", { name: "Tell the moderators" }).click();
  await page.getByText("The moderators are told").waitFor();
  const { reports } = await stage.ask("GET", `/v1/reports?user=${b}`);
  stage.check(reports.length === 1 && reports[0].reason === "spam", "the report has arrived");

  // What another device sets is here at once, and so is a request to be a contact.
  await stage.ask("PATCH", chat.replace(/messages$/, "settings"), { pinned: true }, a);
  await alice.row(name).getByRole("img", { name: "Pinned" }).waitFor();
  await stage.ask("POST", "/v1/contacts", { user_id: a }, c);
  await page.getByRole("button", { name: /^Menu.*1 request to be a contact/ }).waitFor();

  // Several files that are chosen together are one message.
  await page.locator("input[type=file]").setInputFiles([
    { name: "one.png", mimeType: "image/png", buffer: Buffer.from(PICTURE, "base64") },
    { name: "two.png", mimeType: "image/png", buffer: Buffer.from(PICTURE, "base64") },
    { name: "three.txt", mimeType: "text/plain", buffer: Buffer.from("three") },
  ]);
  await bob.page.getByRole("button", { name: "Download three.txt" }).waitFor();
  const several = bob.page.locator(".message").filter({ has: bob.page.getByText("three.txt") });
  await several.getByRole("button", { name: "Show the picture one.png" }).waitFor();
  await several.getByRole("button", { name: "Show the picture two.png" }).waitFor();
  await page.getByRole("button", { name: "Download three.txt" }).waitFor();

  // A voice is recorded; one that is thrown away goes nowhere. The other one hears it.
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.getByRole("timer").waitFor();
  await look("recording", page);
  await page.getByRole("button", { name: "Discard the recording" }).click();
  await page.getByRole("timer").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Record a voice message" }).click();
  await page.getByRole("timer").getByText("0:02").waitFor();
  await page.getByRole("button", { name: "Send the recording" }).click();
  const voice = bob.page.getByRole("button", { name: "Play the voice message" });
  await voice.waitFor();
  stage.check((await bob.page.locator(".sound").count()) === 1, "one voice has arrived");
  stage.check(/0:0[1-9]/.test(await bob.page.locator(".sound-time").textContent()), "it says how long it is");
  await voice.click();
  await bob.page.waitForFunction(() => document.querySelector(".sound audio").currentTime > 0);
  await page.getByRole("button", { name: "Play the voice message" }).waitFor();
  if (pictures) await shoot(stage, a, name, pictures);

  // A channel is joined by its id, or from its address.
  const channel = await stage.ask("POST", "/v1/conversations", { type: "channel", name: "News", join: "open" });
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByText("Channel", { exact: true }).click();
  await page.getByLabel("Id or address of the channel").fill(channel.id);
  await page.getByRole("button", { name: "Join the channel" }).click();
  await page.getByRole("heading", { name: "News" }).waitFor();
  await bob.page.evaluate((id) => {
    location.hash = `#/${encodeURIComponent(id)}`;
  }, channel.id);
  await bob.page.getByRole("button", { name: "Join", exact: true }).click();
  await bob.page.getByText("Only a few write here: you read").waitFor();

  // Who is deactivated is shown as such.
  await stage.ask("PUT", `/v1/users/${b}`, { deactivated: true });
  await page.reload();
  await alice.open(name);
  await page.locator(".head").getByText("deactivated").waitFor();

  // Who is banned is told so, at once and until when, and the page does not try again.
  await stage.ask("PUT", `/v1/users/${b}/ban`, { until: Date.now() + 30 * 86_400_000, reason: "spam" });
  await bob.page.getByText(/An administrator keeps you out until/).waitFor();
  await bob.page.reload();
  await bob.page.getByText(/An administrator keeps you out/).waitFor();
  await stage.ask("DELETE", `/v1/users/${b}/ban`);
  stage.check(!found.length, `axe finds nothing:\n${found.join("\n")}`);
}

/** Pictures of it: light, dark, on a phone. */
async function shoot(stage, user, name, folder) {
  for (const [kind, options] of Object.entries({
    light: {},
    dark: { colorScheme: "dark" },
    phone: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  })) {
    const context = await stage.browser.newContext({
      locale: "en-GB",
      viewport: { width: 1100, height: 900 },
      ...options,
    });
    const one = await stage.person({ user, context });
    await one.open(name);
    await one.page.getByRole("button", { name: "Play the voice message" }).waitFor();
    const [wide, room] = await one.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    stage.check(wide <= room, `${kind}: nothing stands out of the window: ${wide} > ${room}`);
    await one.page.screenshot({ path: `${folder}/team-${kind}.png` });
  }
}
