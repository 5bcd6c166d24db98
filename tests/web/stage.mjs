/** A real browser, and people in it: what the scenarios are written with. Whatever the console complains about fails them. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** What the browser itself says where a scenario takes the network away, or a request is refused on purpose. */
const EXPECTED = /net::ERR_|WebSocket connection to .* failed|the server responded with a status of (400|401|403|404)/;

/** The machine's browser, else the one that the package carries. */
async function executable() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  return found ?? (await sparticuz.executablePath());
}

export async function launch() {
  let why = "";
  try {
    const path = await executable();
    return await chromium.launch({
      executablePath: path,
      headless: true,
      env: { ...process.env, LC_ALL: "C" }, // its language is then no tag that Intl takes: windows without a locale have it
      // a microphone that hears a beep each second, and is given to whoever asks
      args: [
        ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
      ],
    });
  } catch (error) {
    why =
      String(error.message)
        .split("\n")
        .find((line) => /error while loading|not found|Failed|ENOENT/.test(line)) ??
      String(error.message).split("\n")[0];
  }
  throw new Error(`no browser could be started: install chromium, or see what it says: ${why}`);
}

export class Stage {
  constructor(browser, { url, given = {} }) {
    this.browser = browser;
    this.url = url;
    this.given = given;
    this.complaints = [];
    this.pages = [];
  }

  /** Somebody opens the page. `user`: by a demo link; `token`: by a link with a token; `at`: the page by another way. */
  async person({ user, token, at = this.url, context, path, options = {} } = {}) {
    const own =
      context ??
      (await this.browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 760 }, ...options }));
    const page = await own.newPage();
    page.setDefaultTimeout(30_000);
    this.pages.push(page);
    page.on("console", (line) => {
      if (line.type() === "error" && !EXPECTED.test(line.text())) this.complaints.push(line.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    const fragment = token ? `#token=${token}` : user ? `#user=${user}` : (path ?? "");
    await page.goto(at + fragment);
    return new Person(page, own, user);
  }

  /** The team's server asks something of the HTTP API, `as` a user where one is named. */
  async ask(method, path, body, as) {
    const { http_url, admin } = this.given;
    const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
    const answer = await fetch(http_url + path, {
      method,
      headers: { ...headers, ...(as && { "parley-as": as }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    this.check(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? "" : await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  /** Asked again and again until it holds. */
  async until(holds, what) {
    for (let tries = 0; tries < 120; tries++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`never so: ${what}`);
  }

  check(holds, what) {
    if (!holds) throw new Error(`not so: ${what}`);
  }
}

/** One window. What it does it does as people do: by names and roles, as a screen reader has them. */
export class Person {
  constructor(page, context, user) {
    Object.assign(this, { page, context, user });
  }

  get box() {
    return this.page
      .getByRole("textbox", { name: "Write a message" })
      .or(this.page.getByRole("combobox", { name: "Write a message" }));
  }

  async begin(other) {
    await this.page.getByRole("button", { name: "New chat" }).click();
    await this.page.getByLabel("With whom?").fill(other);
    await this.page.getByRole("button", { name: "Begin", exact: true }).click();
    await this.page.getByRole("heading", { name: other }).waitFor();
    await this.box.waitFor();
  }

  async group(name, members) {
    await this.page.getByRole("button", { name: "New chat" }).click();
    await this.page.getByText("Group", { exact: true }).click();
    await this.page.getByLabel("Name of the group").fill(name);
    await this.page.getByLabel("Members").fill(members.join(", "));
    await this.page.getByRole("button", { name: "Create the group" }).click();
    await this.page.getByRole("heading", { name: name.replace("\u202e", "") }).waitFor();
  }

  row(name) {
    return this.page
      .getByRole("navigation", { name: "Chats" })
      .getByRole("link")
      .filter({ has: this.page.locator(".row-name", { hasText: name }) });
  }

  async open(name) {
    await this.row(name).first().click();
    await this.page.getByRole("heading", { name }).waitFor();
    await this.box.waitFor();
  }

  /** At once, where the page has not done so by itself meanwhile. */
  async connect() {
    const button = this.page.getByRole("button", { name: "Connect now" });
    await button.click({ timeout: 3_000 }).catch(() => undefined);
    await this.page.getByText("You are offline").waitFor({ state: "detached" });
  }

  async say(text) {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  /** The message that says this. */
  message(text) {
    const whole = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    return this.page.locator(".message").filter({ has: this.page.locator(".content").filter({ hasText: whole }) });
  }

  async sees(text) {
    await this.message(text).waitFor();
  }

  /** Waits until one's own message is just here. */
  async state(text, state) {
    await this.message(text).locator(`.state.${state}`).waitFor();
  }

  /** Waits until the server has one's own message. Others may have got or read it by then. */
  async isSent(text) {
    await this.message(text).locator(".state.sent, .state.delivered, .state.read").waitFor();
  }

  async act(text, action) {
    await this.message(text).hover();
    await this.message(text).getByRole("button", { name: "Actions for this message" }).click();
    await this.page.getByRole("menuitem", { name: action }).click();
  }

  /** What all messages in view say, from the top to the bottom. */
  async texts() {
    const found = await this.page
      .locator(".message .content")
      .evaluateAll((nodes) => nodes.map((node) => [node.getBoundingClientRect().top, node.textContent]));
    return found.sort((a, b) => a[0] - b[0]).map(([, text]) => text);
  }
}
