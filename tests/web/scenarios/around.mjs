/** What stands around the messages: search, settings of a chat, forwarding, reminders, notifications, contacts, blocks, language. */
export default async function play(stage) {
  const { a, b, c, server, http_url } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b });
  const { page } = alice;
  const dialog = page.getByRole("dialog");
  await alice.begin(b);
  await alice.say("to be forwarded");
  await alice.isSent("to be forwarded");
  await alice.group("Tea at four", [b, c]);
  await alice.open(b);
  await alice.act("to be forwarded", "Forward");
  await dialog.getByRole("button", { name: "Tea at four" }).click();
  await page.getByText("Forwarded to Tea at four").waitFor();
  await bob.open("Tea at four");
  await bob.message("to be forwarded").getByText("Forwarded", { exact: true }).waitFor();

  // Of the two chats one is found by name, one is pinned, muted, and put away.
  await page.getByRole("searchbox", { name: "Search by name" }).fill("tea at");
  await alice.row(b).waitFor({ state: "detached" });
  await page.getByRole("searchbox", { name: "Search by name" }).fill("");
  await alice.row(b).waitFor();
  await page.getByRole("button", { name: "Details" }).click();
  for (const [name, mark] of [
    ["Pin", "Pinned"],
    ["Mute for a week", "Muted"],
  ]) {
    await dialog.getByRole("button", { name }).click();
    await alice.row(b).getByRole("img", { name: mark }).waitFor();
  }
  await dialog.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("button", { name: "Archived (1)" }).waitFor();
  await dialog.getByRole("button", { name: "Take out of the archive" }).click();
  await dialog.getByRole("button", { name: "Ask to be a contact" }).click();
  await dialog.getByRole("button", { name: "Ask to be a contact" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");

  // Bob accepts, and calls her something else.
  await bob.page.evaluate(() => dispatchEvent(new Event("focus"))); // looks at the page again
  await bob.page.getByRole("button", { name: "1 request to be a contact" }).click();
  await bob.page.getByRole("menuitem", { name: "Contacts and blocked users" }).click();
  await bob.page.getByRole("button", { name: "Accept" }).click();
  await bob.page.getByLabel(`Your name for ${a}`).fill("Dear Alice");
  await bob.page.getByLabel(`Your name for ${a}`).press("Tab");
  await bob.page.keyboard.press("Escape");
  await bob.row("Dear Alice").waitFor();

  // A reminder is set and listed; a server's notification comes, and is done with.
  await alice.act("to be forwarded", "Remind me");
  await dialog.getByRole("button", { name: "In an hour" }).click();
  await page.getByText("You will be reminded").waitFor();
  await page.getByRole("button", { name: /^Menu/ }).click();
  await page.getByRole("menuitem", { name: "Waiting reminders" }).click();
  await dialog.getByRole("listitem").filter({ hasText: b }).getByRole("button", { name: "Cancel" }).click();
  await dialog.getByText("No reminders wait").waitFor();
  await page.keyboard.press("Escape");
  const told = await fetch(`${http_url}/v1/notifications`, {
    method: "POST",
    headers: { authorization: `Bearer ${server}`, "content-type": "application/json" },
    body: JSON.stringify({ users: [a], title: "Your order is on its way" }),
  });
  stage.check(told.ok, `the notification was taken: ${told.status}`);
  await page.getByRole("button", { name: "Notifications: 1 notification" }).click();
  await page.getByText("Your order is on its way").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("Nothing new").waitFor();
  await page.keyboard.press("Escape");

  // Who is blocked can't write, and is told so.
  await page.getByRole("button", { name: "Details" }).click();
  await dialog.getByRole("button", { name: `Block ${b}` }).click();
  await dialog.getByRole("button", { name: `Unblock ${b}` }).waitFor();
  await page.keyboard.press("Escape");
  await bob.open("Dear Alice");
  await bob.say("are you there?");
  await bob.message("are you there?").getByText("Not sent").waitFor();
  await bob.message("are you there?").getByRole("button", { name: "Discard" }).click();
  await bob.message("are you there?").waitFor({ state: "detached" });

  // By the keyboard alone: to the messages, up, and their menu.
  await page.getByRole("region", { name: "Messages" }).focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Reply" }).waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: /^Menu/ }).click();
  await page.getByRole("menuitemcheckbox", { name: "Deutsch" }).click();
  await page.getByRole("heading", { name: "Chats" }).waitFor();
  await page.getByPlaceholder("Nachricht schreiben").waitFor();
  await page.getByRole("button", { name: /^Menü/ }).click();
  await page.getByRole("menuitemcheckbox", { name: "Dunkel" }).click();
  stage.check((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "it is dark");
  await page.getByRole("button", { name: /^Menü/ }).click();
  await page.getByRole("menuitem", { name: "Abmelden" }).click();
  await page.getByRole("heading", { name: "Wer bist du?" }).waitFor();
}
