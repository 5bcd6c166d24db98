/** A link's token leaves the address at once; where it ends, the user signs in again. A demo user gets a fresh one unasked. */
export default async function play(stage) {
  const { a, b, token, short, fresh } = stage.given;
  const alice = await stage.person({ token });
  await alice.page.getByRole("heading", { name: "Chats" }).waitFor();
  stage.check(!alice.page.url().includes("token"), "the token is out of the address");
  stage.check(
    !(await alice.page.evaluate(() => document.documentElement.outerHTML)).includes(token),
    "and not on the page",
  );
  await alice.page.goBack().catch(() => undefined);
  stage.check(!alice.page.url().includes(token), "nor in the history");
  await alice.page.goto(stage.url);
  await alice.page.getByText("Your session has ended").waitFor({ timeout: 60_000 });
  await alice.page.getByLabel("User id").fill(a);
  await alice.page.getByRole("button", { name: "Chat", exact: true }).click();
  await alice.begin(b);
  await alice.say("signed in again");
  await alice.state("signed in again", "sent");

  // A link with another's token, which no server has taken: nothing of what is stored of them is seen.
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged = `${part({ alg: "HS256" })}.${part({ sub: a, exp: 4_000_000_000 })}.bm8`;
  const thief = await stage.person({ token: token.slice(0, 9), context: alice.context });
  await thief.page.getByText("This link is broken").waitFor();
  await thief.page.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => window.seen.push(document.querySelectorAll(".row, .message").length)).observe(document, {
      childList: true,
      subtree: true,
    });
  });
  await thief.page.evaluate((one) => {
    location.hash = `#token=${one}`;
  }, forged);
  await thief.page.getByText("This token was not accepted").waitFor();
  stage.check(!(await thief.page.evaluate(() => window.seen)).some(Boolean), "nothing stored was shown");
  stage.check(!thief.page.url().includes("token"), "a token of an open page leaves the address, too");

  // Where a product's backend gives the tokens, nobody signs in here.
  const product = await stage.browser.newContext({ locale: "en-GB" });
  await product.route("**/ui/config.json", async (route) => {
    const { tokens_url: _, ...config } = await (await route.fetch()).json();
    await route.fulfill({ json: { ...config, token_url: "/ui/of-the-product" } });
  });
  let isThere = false;
  let given = 0;
  await product.route("**/ui/of-the-product", (route) => {
    if (!isThere) return route.fulfill({ status: 401 });
    given++;
    return route.fulfill({ json: { token: fresh } });
  });
  const customer = await stage.person({ context: product });
  await customer.page.getByText("You are not signed in where this page gets its tokens").waitFor();
  isThere = true;
  await customer.page.getByRole("button", { name: "Try again" }).click();
  await customer.page.getByRole("heading", { name: "Chats" }).waitFor();
  await customer.page.reload();
  await customer.row(a).waitFor();
  stage.check(given === 1, `a reload begins with the token that is good: ${given}`);

  const context = await stage.browser.newContext({ locale: "en-GB" });
  let asked = 0;
  await context.route("**/ui/token", (route) =>
    asked++ ? route.continue() : route.fulfill({ json: { token: short } }),
  );
  const bob = await stage.person({ user: b, context });
  await bob.open(a);
  await bob.page.waitForFunction(
    () => performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/ui/token")).length > 1,
  );
  await bob.say("with a fresh one");
  await bob.isSent("with a fresh one");
  stage.check(asked > 1, "a second token was asked for");
}
