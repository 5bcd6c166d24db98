/** What a shop's server does: it signs its tokens, tells a customer of their order, and gives the page a token. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const TRIES = 5;
const SHOP = "shop";

const { PARLEY_HTTP_URL, PARLEY_SECRET_FILE } = process.env;
const [customer, order] = process.argv.slice(2);
if (!PARLEY_HTTP_URL || !PARLEY_SECRET_FILE || !customer || !order) {
  console.error("Like this: PARLEY_HTTP_URL=… PARLEY_SECRET_FILE=… node send.mjs CUSTOMER ORDER. See README.md");
  process.exit(2);
}
const secret = secretIn(PARLEY_SECRET_FILE); // in AWS: from Secrets Manager, once at the start

function secretIn(file) {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    console.error(`${error.message}. \`make up\` writes it, into .parley or where PARLEY_HOME says`);
    process.exit(2);
  }
}

/** A JWT for `seconds`. Whoever has the secret is any user: it stays on the server. */
function mint(user, seconds, scope) {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, iat: now, exp: now + seconds, scope })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** One request, as `user` where one is named, and again where trying again helps. All of them here may be repeated. */
async function ask(method, path, body, user) {
  const headers = {
    Authorization: `Bearer ${mint("backend", 300, "admin")}`,
    "Content-Type": "application/json",
    ...(user && { "Parley-As": user }), // each such request is on record: GET /v1/audit
  };
  for (let tried = 1; ; tried += 1) {
    const asked = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000) };
    const answer = await fetch(PARLEY_HTTP_URL + path, asked).catch((error) => ({ status: 0, error }));
    const told = answer.status ? await answer.json().catch(() => ({})) : { error: answer.error.message };
    if (answer.ok) return told;
    // `code` is stable. The gateway's own refusals, and no answer at all, have none.
    const wait = told.retry_after_ms ?? 2 ** tried * 100 * Math.random();
    const isPassing = told.retryable ?? (answer.status === 0 || answer.status === 429 || answer.status >= 500);
    if (!isPassing || tried === TRIES)
      throw new Error(`${method} ${path}: ${told.code ?? answer.status}: ${told.error}`);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

try {
  await ask("PUT", `/v1/users/${SHOP}`, { name: "The shop" });
  const { id } = await ask("POST", "/v1/conversations", { type: "private", with: customer }, SHOP);
  const sent = await ask(
    "POST",
    `/v1/conversations/${encodeURIComponent(id)}/messages`,
    // The order's own id is the message's: run again, after a crash or by two servers at once, it is stored once.
    { content: `Your order ${order} is on its way`, client_message_id: `order-${order}`, data: { order } },
    SHOP,
  );
  console.log(`${sent.duplicate ? "was stored before" : "stored"} as ${id} ${sent.seq}`);
  // What your own route answers to the page, behind your sign-in: a token of that customer, for an hour.
  console.log(mint(customer, 3_600));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
