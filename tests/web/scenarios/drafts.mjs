/** What was begun is there again: an edit, a reply, also over a reload; what is sent in the moment of a reload is sent, and once. */
export default async function play(stage) {
  const { a, b, c } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b });
  const { page } = alice;
  await alice.begin(c);
  await alice.begin(b);
  await alice.say("first version");
  await alice.isSent("first version");
  await alice.box.fill("half a thought");
  await alice.act("first version", "Edit");
  await alice.box.fill("second version");
  await alice.open(c);
  stage.check((await alice.box.inputValue()) === "", "another chat has a draft of its own");
  await alice.open(b);
  await page.getByText("Edit the message").waitFor();
  stage.check((await alice.box.inputValue()) === "second version", "the edit is there again");
  await page.reload();
  await page.getByText("Edit the message").waitFor();
  await alice.box.press("Enter");
  await bob.open(a);
  await bob.sees("second version");
  stage.check((await bob.texts()).length === 1, "it is an edit, and no new message");
  stage.check((await alice.box.inputValue()) === "half a thought", "what was there before it is there again");
  await alice.act("second version", "Reply");
  await alice.open(c);
  await alice.open(b);
  await page.getByText(`Reply to ${a}`).waitFor();
  await alice.box.press("Enter");
  await bob
    .message("half a thought")
    .getByRole("button", { name: `In reply to ${a}` })
    .waitFor();

  for (const text of ["in the same instant", "and once more"]) {
    await alice.box.fill(text);
    // Enter, and within the same task the page is left
    await page.evaluate(() => {
      const area = document.querySelector(".composer textarea");
      area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      location.reload();
    });
    await bob.sees(text);
    await alice.isSent(text);
  }
  await page.reload();
  await alice.sees("and once more");
  const wanted = "second version|half a thought|in the same instant|and once more";
  stage.check((await bob.texts()).join("|") === wanted, `each once: ${await bob.texts()}`);
  stage.check((await alice.box.inputValue()) === "", "and nothing is left to write");

  await alice.box.fill("\u200b\u2060 \u00ad");
  stage.check(await page.getByRole("button", { name: "Send" }).isDisabled(), "what shows nothing can't be sent");
  await alice.box.press("Enter");
  await alice.box.fill("");

  // Escape closes the chat, and the keyboard is at its row.
  await alice.box.press("Escape");
  await page.getByText("Choose a chat").waitFor();
  const focused = await page.evaluate(() => document.activeElement?.querySelector(".row-name")?.textContent);
  stage.check(focused === b, `the focus is at the chat that was closed: ${focused}`);

  // What is told while a dialog is open stands above it, and can be heard.
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Details" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Pin" }).waitFor();
  await page.route("**/settings", (route) => route.abort());
  await dialog.getByRole("button", { name: "Pin" }).click();
  const toast = dialog.getByRole("status").getByText("That did not work: there is no connection");
  await toast.waitFor();
  const isAbove = await toast.evaluate((node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    const hit = document.elementsFromPoint(x + width / 2, y + height / 2);
    return (
      getComputedStyle(node).visibility === "visible" &&
      !node.closest("[inert]") &&
      hit.includes(node.closest("dialog"))
    );
  });
  stage.check(isAbove, "the line stands in the dialog's layer");
}
