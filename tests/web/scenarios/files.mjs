/** A picture goes across by the button, is seen small and large; a file by dropping it, a picture by pasting it. */
async function drawn(page, color) {
  const data = await page.evaluate((fill) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 400 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = fill;
    pen.fillRect(0, 0, 640, 400);
    return canvas.toDataURL("image/png").split(",")[1];
  }, color);
  return Buffer.from(data, "base64");
}

/** Drops or pastes a file, as the browser does it. */
async function hand(page, selector, kind, name, type, data) {
  const transfer = await page.evaluateHandle(
    ([file, mime, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const moved = new DataTransfer();
      moved.items.add(new File([bytes], file, { type: mime }));
      return moved;
    },
    [name, type, data.toString("base64")],
  );
  if (kind === "drop") return page.dispatchEvent(selector, "drop", { dataTransfer: transfer });
  return page.evaluate(
    ([where, moved]) =>
      document
        .querySelector(where)
        .dispatchEvent(new ClipboardEvent("paste", { clipboardData: moved, bubbles: true, cancelable: true })),
    [selector, transfer],
  );
}

export default async function play(stage) {
  const { a, b } = stage.given;
  const alice = await stage.person({ user: a });
  const bob = await stage.person({ user: b });
  await alice.begin(b);
  await alice.page
    .locator("input[type=file]")
    .setInputFiles({ name: "hill.png", mimeType: "image/png", buffer: await drawn(alice.page, "teal") });
  await alice.page.locator(".message .state.sent, .message .state.delivered").first().waitFor();
  await bob.open(a);
  const picture = bob.page.getByRole("button", { name: "Show the picture hill.png" });
  await picture.waitFor();
  await bob.page.waitForFunction(() => document.querySelector(".picture img")?.naturalWidth === 320);
  await picture.click();
  await bob.page.waitForFunction(() => document.querySelector(".lightbox")?.naturalWidth === 640);
  await bob.page.keyboard.press("Escape");
  await bob.page.locator(".lightbox").waitFor({ state: "detached" });

  await hand(alice.page, ".conversation", "drop", "notes.txt", "text/plain", Buffer.from("some notes"));
  const file = bob.page.getByRole("button", { name: "Download notes.txt" });
  await file.waitFor();
  const [download] = await Promise.all([bob.page.waitForEvent("download"), file.click()]);
  stage.check(download.suggestedFilename() === "notes.txt", "it has its name");

  await hand(alice.page, "textarea", "paste", "pasted.png", "image/png", await drawn(alice.page, "orange"));
  await bob.page.getByRole("button", { name: "Show the picture pasted.png" }).waitFor();
}
