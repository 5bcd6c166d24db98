/** Files wait for the network as messages do, go on after a reload, and say in plain words what is wrong with them. */
import { overLine } from "../line.mjs";

export default async function play(stage) {
  const { alice, bob, line } = await overLine(stage);
  const { page } = alice;
  const chooser = page.locator("input[type=file]");
  const file = (name, text = "some notes", mimeType = "text/plain") =>
    chooser.setInputFiles({ name, mimeType, buffer: Buffer.from(text) });
  line.cut();
  await page.getByText("You are offline").waitFor();
  await file("offline.txt");
  await page.getByText("Waits for a connection").waitFor();
  stage.check((await page.getByText("Not sent").count()) === 0, "it has not failed");
  line.mend();
  await alice.connect();
  await bob.page.getByRole("button", { name: "Download offline.txt" }).waitFor();

  line.cut();
  await page.getByText("You are offline").waitFor();
  await file("reloaded.txt");
  await file("called-off.txt");
  await page.getByRole("button", { name: "Do not send called-off.txt" }).click();
  await page.getByText("called-off.txt").waitFor({ state: "detached" });
  await page.waitForTimeout(300); // until its bytes are kept
  line.mend();
  await page.reload();
  await bob.page.getByRole("button", { name: "Download reloaded.txt" }).waitFor();
  await page.getByRole("button", { name: "Download reloaded.txt" }).waitFor();

  for (const [name, text, type, words] of [
    ["empty.txt", "", "text/plain", "the file is empty"],
    ["page.html", "<p>hi", "text/html", "files of this kind are not taken"],
    ["no.png", "no picture", "image/png", "the file is not of the kind that its name says"],
  ]) {
    await file(name, text, type);
    const row = page.locator(".message").filter({ has: page.getByText(name, { exact: false }) });
    await row.getByText(`Not sent: ${words}`).waitFor();
    stage.check((await row.locator("progress").count()) === 0, "it is not on its way");
    await row.getByRole("button", { name: "Discard" }).click();
    await page.getByText(name, { exact: true }).waitFor({ state: "detached" });
  }
  stage.check((await bob.page.locator(".attachment.file").count()) === 2, "each arrived once");
  line.close();
}
