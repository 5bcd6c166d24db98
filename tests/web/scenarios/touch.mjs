/** On a phone: a finger that stays on a message opens its menu, one that moves scrolls, and nothing is cut at 320 pixels. */
export default async function play(stage) {
  const { a, b } = stage.given;
  const options = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, locale: "de-DE" };
  const bob = await stage.person({ user: b });
  await bob.begin(a);
  for (let number = 0; number < 20; number++) await bob.say(`line ${number}`);
  const { page, context } = await stage.person({ user: a, options });
  await page.locator(".row").first().tap();
  const last = page.locator(".message .content").getByText("line 19", { exact: true });
  await last.waitFor();
  const cut = await page.evaluate(() => {
    const area = document.querySelector(".composer textarea");
    const line = document.createElement("span");
    Object.assign(line.style, { font: getComputedStyle(area).font, position: "absolute", whiteSpace: "nowrap" });
    line.textContent = area.placeholder;
    document.body.append(line);
    const { paddingInlineStart, paddingInlineEnd } = getComputedStyle(area);
    const room = area.clientWidth - Number.parseFloat(paddingInlineStart) - Number.parseFloat(paddingInlineEnd);
    return line.getBoundingClientRect().width - room;
  });
  stage.check(cut <= 0, `the placeholder has room: ${cut} px too little`);

  const finger = await context.newCDPSession(page);
  const touch = (type, points) => finger.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  const { x, y } = await last.boundingBox();
  await touch("touchStart", [{ x: x + 5, y: y + 5 }]);
  await page.getByRole("menuitem", { name: "Antworten" }).waitFor();
  await touch("touchEnd", []);
  await page.waitForTimeout(100);
  await page.getByRole("menuitem", { name: "Antworten" }).tap();
  await page.getByText(`Antwort an ${b}`).waitFor();

  // Also where the finger begins on a button.
  const button = await page.getByRole("button", { name: "Aktionen für diese Nachricht" }).nth(2).boundingBox();
  const area = page.locator(".timeline");
  const before = await area.evaluate((node) => node.scrollTop);
  const spots = [
    [60, 200],
    [button.x + 5, button.y + 5],
  ];
  for (const [left, top] of spots) {
    await touch("touchStart", [{ x: left, y: top }]);
    for (let step = 1; step <= 5; step++) await touch("touchMove", [{ x: left, y: top + 30 * step }]);
    await page.waitForTimeout(700); // as long as a press would take
    await touch("touchEnd", []);
    stage.check((await page.getByRole("menuitem").count()) === 0, "a finger that moves opens no menu");
  }
  stage.check((await area.evaluate((node) => node.scrollTop)) < before, "it scrolls");
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  stage.check(wide <= room, `nothing stands out of the window: ${wide} > ${room}`);
  await page.getByRole("button", { name: "Aktionen für diese Nachricht" }).last().tap();
  await page.getByRole("menuitem", { name: "Weiterleiten" }).tap();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Zurück zu den Chats" }).tap();
  await page.locator(".row").first().waitFor();
}
