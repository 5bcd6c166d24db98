/** A group: a mention by completion, a role, a new name, and a member who is removed. */
export default async function play(stage) {
  const { a, b, c } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b });
  await alice.group("Tea at four", [b, c]);
  await bob.open("Tea at four");
  await bob.page.getByText(`${a} made the group “Tea at four”`, { exact: false }).waitFor();
  await alice.page.getByText("3 members").waitFor();
  await alice.box.pressSequentially(`hello @${b.slice(0, 3)}`);
  await alice.page.getByRole("option", { name: b }).waitFor();
  await alice.page.keyboard.press("Enter");
  await alice.page.keyboard.type("here");
  await alice.page.keyboard.press("Enter");
  await bob.page.locator(".mention.me").getByText(`@${b}`).waitFor();

  await alice.page.getByRole("button", { name: "Details" }).click();
  const details = alice.page.getByRole("dialog");
  await details.getByLabel("Name of the group").fill("Tea at five");
  await details.getByRole("button", { name: "Rename" }).click();
  await bob.page.getByRole("heading", { name: "Tea at five" }).waitFor();
  await details.getByRole("button", { name: `Actions for ${c}` }).click();
  await alice.page.getByRole("menuitem", { name: "Make admin" }).click();
  await bob.page.getByText(`${a} made ${c} an admin`).waitFor();

  await details.getByRole("button", { name: `Actions for ${b}` }).click();
  await alice.page.getByRole("menuitem", { name: "Remove from the group" }).click();
  await details.getByRole("heading", { name: "Members (2)" }).waitFor();
  await bob.row("Tea at five").waitFor({ state: "detached" });
  await bob.page.getByText("You are not in this conversation any more").waitFor();
  await alice.page.keyboard.press("Escape");
  await alice.say("just us");
  await alice.isSent("just us");
  await alice.page.getByText(`${a} removed ${b}`).waitFor();
  stage.check((await bob.message("just us").count()) === 0, "who was removed hears no more");
  await bob.page.reload();
  await bob.page.getByText("You are not in this conversation any more").waitFor();
  await bob.page.getByRole("heading", { name: "Tea at five" }).waitFor();
  stage.check((await bob.box.count()) === 0, "nor can they write there after a reload");
  await alice.page.getByRole("button", { name: "Details" }).click();
  await details.getByLabel("Add members").fill(b);
  await details.getByRole("button", { name: "Add members" }).click();
  await bob.box.waitFor(); // taken in again

  // A browser that has nothing yet hears from the history what became of the group.
  const carol = await stage.person({ user: c });
  await carol.open("Tea at five");
  await carol.sees("just us");
  for (const told of [`made the group “Tea at four”`, "renamed the group to “Tea at five”", `made ${c} an admin`])
    await carol.page.getByText(`${a} ${told}`).waitFor();
  await carol.page.getByText(`${a} removed ${b}`).waitFor();
}
